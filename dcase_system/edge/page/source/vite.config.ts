import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const litert = join(dirname(createRequire(import.meta.url).resolve("@litertjs/core")), "..");

/** Digest of what the page is built from, so that a test can tell whether it was built since. */
function sources(): string {
  const digest = createHash("sha256");
  const files = ["index.html", "package-lock.json", "vite.config.ts"];
  const modules = readdirSync("src").map((name) => `src/${name}`);
  for (const file of [...files, ...modules].sort()) digest.update(readFileSync(file));
  return digest.digest("hex");
}

/** Source expression of a Content-Security-Policy that admits exactly this text. */
function admitted(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/**
 * Puts script and style into the page, and admits nothing else by two policies that both hold.
 *
 * The first admits one inline script by its hash, and the scripts that this one starts: LiteRT
 * loads its runtime by a script element, and an AudioWorklet takes its code from an address. The
 * second says that such addresses are made in the page and lead nowhere else.
 */
function onePage(): Plugin {
  return {
    name: "one-page",
    enforce: "post",
    generateBundle(_options, bundle) {
      let script = "";
      let style = "";
      for (const [name, item] of Object.entries(bundle)) {
        if (name.endsWith(".js") && item.type === "chunk") script = `\n${item.code.trim()}\n`;
        else if (name.endsWith(".css") && item.type === "asset") style = `\n${item.source}`.trimEnd() + "\n";
        else continue;
        delete bundle[name];
      }
      if (script.includes("</script")) throw new Error("the script would end the page's element");
      const policies = [
        `script-src ${admitted(script)} 'strict-dynamic' 'wasm-unsafe-eval'`,
        "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob: data:; " +
          `style-src ${admitted(style)}; img-src data:; media-src blob:; ` +
          "base-uri 'none'; form-action 'none'",
      ];
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("no page among the built files");
      page.source = String(page.source)
        .replace(/\s*<script type="module"[^>]*><\/script>/, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/, "")
        .replace("%SOURCES%", sources())
        .replace(/%POLICY(\d)%/g, (_, index) => policies[index]!)
        .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
        .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
    },
  };
}

/**
 * Leaves LiteRT's runtime, compressed, beside the page.
 *
 * It is the build that needs no relaxed SIMD: every browser runs it, and the same numbers come out
 * everywhere.
 */
function runtime(): Plugin {
  return {
    name: "runtime",
    generateBundle() {
      for (const [name, fileName] of [
        ["litert_wasm_compat_internal.js", "litert.js.gz"],
        ["litert_wasm_compat_internal.wasm", "litert.wasm.gz"],
      ] as const) {
        const source = gzipSync(readFileSync(join(litert, "wasm", name)), { level: 9 });
        this.emitFile({ type: "asset", fileName, source });
      }
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [runtime(), onePage()],
  build: {
    outDir: "../built",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
