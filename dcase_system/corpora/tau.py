"""Constants of TAU Urban Acoustic Scenes 2022 Mobile and of the DCASE 2024 Task 1 splits."""

SCENES = (
    "airport",
    "bus",
    "metro",
    "metro_station",
    "park",
    "public_square",
    "shopping_mall",
    "street_pedestrian",
    "street_traffic",
    "tram",
)
"""The ten scenes in label order (index = label id), as in the 2024 baseline."""

CLIP_SECONDS = 1.0

DEVICES = ("a", "b", "c", "s1", "s2", "s3", "s4", "s5", "s6")
"""Recording devices of the development set; s4-s6 appear in the test list only."""

SPLITS = (5, 10, 25, 50, 100)
"""Percentages of the nested training lists `split{5,10,25,50,100}.csv`."""

EVALUATION_CLIPS = 135_730
"""Clips of the 2024 evaluation set, `audio/0.wav` ... `audio/135729.wav`."""

TEST_CLIPS = 29_680
"""Clips of `test.csv`."""
