/** Colours of heat maps on paper and without scripts: the light ones of the style sheet. */
export const PRINT_RAMP: readonly string[] = Object.freeze([
  '#eef2f6',
  '#9ecae1',
  '#2f7fc1',
  '#08306b',
]);

/**
 * Colours of lines: the palette of Okabe and Ito ("Color Universal Design", 2008), which people
 * with any common colour vision can tell apart. Its black is the text colour here, its yellow is
 * darker on white, and its blue lighter on black, so that thin lines are seen.
 */
const LIGHT = `--page:#f5f6f8;--surface:#ffffff;--ink:#1b1f24;--muted:#59636e;--rule:#dde2e8;
--accent:#0072b2;--warn-page:#fff4e0;--warn-rule:#e0a030;
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#e69f00;--c4:#cc79a7;--c5:#56b4e9;--c6:#1b1f24;--c7:#a89b00;
--r0:${PRINT_RAMP[0] ?? ''};--r1:${PRINT_RAMP[1] ?? ''};--r2:${PRINT_RAMP[2] ?? ''};--r3:${PRINT_RAMP[3] ?? ''};`;

const DARK = `--page:#101418;--surface:#181d23;--ink:#e6eaee;--muted:#9aa5b1;--rule:#2e3640;
--accent:#56b4e9;--warn-page:#33270f;--warn-rule:#b98523;
--c0:#3f9fdb;--c1:#e8743b;--c2:#1fb58a;--c3:#e69f00;--c4:#d98fb8;--c5:#8fd0f5;--c6:#e6eaee;--c7:#f0e442;
--r0:#1f2730;--r1:#1f5f94;--r2:#56b4e9;--r3:#f7f3b0;`;

/** The page's style sheet. */
export const STYLES: string = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1200px;margin:0 auto;padding:24px 20px 48px}
h1{font-size:1.9rem;line-height:1.2;margin:0;text-wrap:balance}
h2{font-size:1.3rem;margin:0 0 4px}
h3{font-size:1rem;margin:18px 0 6px}
figure h3{margin-top:0}
h4{font-size:.9rem;margin:12px 0 4px}
h1,h2,h3,h4,dd,.note,.verdict,li{overflow-wrap:anywhere}
.subtitle,.lead,figcaption,.fine,.label,.note,dt{color:var(--muted)}
.subtitle{font-size:1.1rem;margin:4px 0 0}
.lead{margin:0 0 14px;max-width:75ch}
section,.banner{background:var(--surface);border:1px solid var(--rule);border-radius:10px;padding:20px;margin-top:18px}
.settings{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:10px 24px;margin:18px 0 0}
.settings dt,.label{font-size:.8rem;margin:0}
.settings dd{margin:0;font-weight:600}
.verdict{font-size:1.15rem;line-height:1.5;margin:0;max-width:80ch}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;margin-top:16px}
.card{border:1px solid var(--rule);border-radius:8px;padding:12px 14px}
.value{font-size:1.7rem;font-weight:650;line-height:1.3;margin:0;font-variant-numeric:tabular-nums}
.note{font-size:.85rem;margin:0}
.banner{background:var(--warn-page);border-color:var(--warn-rule);padding:12px 20px}
.banner p,.banner ul{margin:4px 0}
.scroll{position:relative;overflow-x:auto;border:1px solid var(--rule);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--muted);font-weight:600;white-space:normal;vertical-align:bottom}
.long{min-width:9em}
.groups th{text-align:left;border-left:1px solid var(--rule);color:var(--ink)}
th[scope=row],thead tr:last-child th:first-child,.groups td{text-align:left;position:sticky;left:0;background:var(--surface);font-weight:600}
th[scope=row]{max-width:46vw;white-space:normal;overflow-wrap:anywhere;min-width:min(12.5em,38vw)}
tbody tr:hover>*{background:var(--page)}
.best{font-weight:700;box-shadow:inset 3px 0 0 var(--accent)}
.tag{font-size:.75rem;font-weight:600;border:1px solid var(--rule);border-radius:99px;padding:0 7px;color:var(--muted);white-space:nowrap}
.tag.warn{border-color:var(--warn-rule);background:var(--warn-page);color:var(--ink)}
.sample{margin-right:7px;vertical-align:baseline;flex:none}
.fine{font-size:.8rem;font-weight:400}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
figure{margin:0;min-width:0}
section>figure{margin-top:10px}
figcaption{font-size:.85rem;margin-top:4px;max-width:85ch}
.pair,.triple{display:grid;gap:26px 28px;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr))}
.triple{grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr))}
.live{display:none;width:100%;overflow:hidden}
.has-script .live{display:block}
.has-script .still{display:none}
.still svg{width:100%;height:auto;display:block}
.heat{width:100%;image-rendering:pixelated;display:block;border:1px solid var(--rule)}
.legend,.switch{display:flex;flex-wrap:wrap;gap:6px;margin:0 0 14px;padding:0;border:0;min-width:0}
.switch legend{float:left;font-size:.85rem;color:var(--muted);padding:4px 6px 0 0}
.legend{position:sticky;top:0;z-index:5;background:var(--surface);padding:6px 0}
.legend button,.switch span{display:inline-flex;align-items:center;gap:0;font:inherit;font-size:.85rem;color:var(--ink);background:var(--surface);border:1px solid var(--rule);border-radius:99px;padding:3px 12px;cursor:pointer;max-width:100%;overflow-wrap:anywhere;text-align:left}
.legend button[aria-pressed=false]{opacity:.5;text-decoration:line-through}
.legend .tag{margin-left:6px}
.switch input{position:absolute;opacity:0}
.switch label{position:relative;max-width:100%}
.switch input:checked+span{border-color:var(--accent);box-shadow:inset 0 0 0 1px var(--accent);font-weight:600}
button:focus-visible,summary:focus-visible,.scroll:focus-visible,.switch input:focus-visible+span{outline:3px solid var(--accent);outline-offset:2px}
html:not(.has-script) .switch{display:none}
html:not(.has-script) .legend button{cursor:default}
details{margin-top:10px}
summary{cursor:pointer;font-weight:600;padding:4px 0}
details>.scroll{margin-top:6px}
footer{margin-top:22px}
.terms{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px}
.terms dd{margin:0}
@media (max-width:900px){table{font-size:.78rem}th,td{padding:6px 3px}.long{min-width:5em}th[scope=row]{min-width:min(9.5em,38vw)}}
@media (max-width:720px){.cards{grid-template-columns:1fr 1fr}}
@media (max-width:560px){main{padding:16px 10px 32px}section,.banner{padding:14px 12px}h1{font-size:1.5rem}.settings{grid-template-columns:1fr 1fr}.value{font-size:1.45rem}.terms{grid-template-columns:1fr}.terms dd{margin-bottom:6px}}
@media print{:root{${LIGHT}color-scheme:light;--page:#fff}body{font-size:11px}main{max-width:none;padding:0}.has-script .live,.switch{display:none!important}.has-script .still{display:block}.legend{position:static}section{border:0;padding:8px 0}figure,.card,tr{break-inside:avoid}.scroll{overflow:visible;border:0}th[scope=row]{position:static}table{font-size:8.5px}th,td{padding:2px 4px}th[scope=row]{min-width:0}}
`;
