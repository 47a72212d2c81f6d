// Colours and the style sheet of the element. The canvas is painted with the same custom properties, which a
// page may set on the element: `bodkin-table { --bodkin-accent: crimson }`.

const LIGHT = `--bodkin-background:#fff;--bodkin-header:#f7f9f9;--bodkin-line:#e6eaeb;--bodkin-text:#1a2226;
--bodkin-muted:#5a666d;--bodkin-faint:#6d797f;--bodkin-hover:#f3f7f7;--bodkin-selected:#e3f3f0;--bodkin-accent:#0b6b62;
--bodkin-thumb:#c4cdd0;--bodkin-field:#fff;--bodkin-error:#b3261e;color-scheme:light;`;
const DARK = `--bodkin-background:#0f1416;--bodkin-header:#151b1e;--bodkin-line:#252e32;--bodkin-text:#e6ecee;
--bodkin-muted:#9aa6ac;--bodkin-faint:#87939a;--bodkin-hover:#161d20;--bodkin-selected:#12312d;--bodkin-accent:#4fd1bd;
--bodkin-thumb:#3c484d;--bodkin-field:#0f1416;--bodkin-error:#ff8a80;color-scheme:dark;`;
const STYLE = `
:host{${LIGHT}--bodkin-font:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
display:block;height:100%;min-height:220px;contain:strict;font:13px/1.4 var(--bodkin-font);color:var(--bodkin-text)}
@media (prefers-color-scheme:dark){:host{${DARK}}}
:host([theme=light]){${LIGHT}} :host([theme=dark]){${DARK}}
:host([hidden]){display:none}
[hidden]{display:none!important}
*{box-sizing:border-box}
.frame{display:flex;flex-direction:column;height:100%;background:var(--bodkin-background);overflow:hidden}
.bar,.status{display:flex;align-items:center;gap:12px;padding:0 14px;flex:none;white-space:nowrap}
.bar{min-height:48px;border-bottom:1px solid var(--bodkin-line)}
.status{height:30px;border-top:1px solid var(--bodkin-line);color:var(--bodkin-muted);font-size:12px;background:var(--bodkin-header)}
.count b{font-weight:600;font-variant-numeric:tabular-nums}
.dim{color:var(--bodkin-muted)}
.grow{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis}
.chips{display:flex;flex-wrap:wrap;gap:6px;min-width:0}
.bar .chips{flex:1;flex-wrap:nowrap;overflow:hidden}
.chip{display:inline-flex;align-items:center;gap:4px;height:26px;padding:0 4px 0 10px;border-radius:13px;max-width:260px;
background:var(--bodkin-selected);color:var(--bodkin-accent);font-size:12px;font-weight:500}
.chip span{overflow:hidden;text-overflow:ellipsis}
button,select,input{font:inherit;color:inherit}
.chip button{all:unset;cursor:pointer;width:18px;height:18px;border-radius:9px;text-align:center;line-height:17px;font-size:14px}
.chip button:hover{background:var(--bodkin-accent);color:var(--bodkin-background)}
.button{height:30px;padding:0 12px;border:1px solid var(--bodkin-line);border-radius:7px;background:var(--bodkin-field);
font-weight:500;cursor:pointer}
.button:hover{border-color:var(--bodkin-accent)}
.button[aria-expanded=true]{background:var(--bodkin-selected);border-color:var(--bodkin-selected);color:var(--bodkin-accent)}
:is(button,select,input,canvas):focus-visible,.chip button:focus-visible{outline:2px solid var(--bodkin-accent);outline-offset:1px}
canvas:focus-visible{outline-offset:-2px}
canvas:is(.pointed,.selected):focus-visible{outline:none}
.value .dim{margin-right:8px}
.panel{display:grid;grid-template-columns:auto 1fr;gap:10px 14px;align-items:center;padding:12px 14px;
border-bottom:1px solid var(--bodkin-line);background:var(--bodkin-header)}
.panel .label{color:var(--bodkin-muted);font-size:12px}
.panel select{height:26px;max-width:180px;padding:0 6px;border:1px solid var(--bodkin-line);border-radius:13px;
background:var(--bodkin-field);font-size:12px}
.progress{height:2px;flex:none;background:transparent;margin-top:-2px;z-index:1;opacity:0;transition:opacity .4s .2s}
.progress.on{opacity:1;transition:none}
.progress i{display:block;height:100%;width:0;background:var(--bodkin-accent)}
.grid{position:relative;flex:1;min-height:0}
canvas{position:absolute;inset:0;width:100%;height:100%;touch-action:none}
.boxes{position:absolute;right:0;overflow:clip;pointer-events:none}
.boxes input{position:absolute;top:2px;height:26px;padding:0 8px;border:1px solid var(--bodkin-line);border-radius:6px;
background:var(--bodkin-field);font-size:12px;pointer-events:auto;min-width:0}
.boxes input::placeholder{color:var(--bodkin-faint);opacity:.75}
.boxes input:focus{outline:none;border-color:var(--bodkin-accent);box-shadow:0 0 0 1px var(--bodkin-accent)}
.boxes input.set{border-color:var(--bodkin-accent);color:var(--bodkin-accent);font-weight:500}
.boxes input[aria-invalid=true]{border-color:var(--bodkin-error);box-shadow:0 0 0 1px var(--bodkin-error);color:var(--bodkin-error)}
.message{position:absolute;inset:0;display:flex;flex-direction:column;gap:8px;align-items:center;justify-content:center;
padding:24px;text-align:center;pointer-events:none}
.message.whole{background:var(--bodkin-background);pointer-events:auto}
.message b{font-size:15px;font-weight:600}
.message p{margin:0;max-width:56ch;color:var(--bodkin-muted);overflow-wrap:anywhere}
.message .button{margin-top:8px;pointer-events:auto}
.value{color:var(--bodkin-text)}
.value.error{color:var(--bodkin-error)}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media (max-width:560px){.status .time,.count .dim{display:none}}`;
