import "./style.css";
import type { Card } from "./card";
import { Model } from "./model";
import { Page } from "./page";
import { payloadJson } from "./payload";
import { View } from "./view";

try {
  const card = await payloadJson<Card>("card");
  new Page(card, await Model.load(card));
} catch (error) {
  View.state("broken", "This page does not work here");
  View.fault(`The network cannot be run in this browser: ${(error as Error).message}`);
}
