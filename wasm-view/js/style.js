// Colours and the style sheet of the element. The canvas is painted with the same custom properties, which a
// page may set on the element: `bodkin-table { --bodkin-accent: crimson }`.

const LIGHT = `--bodkin-background:#fff;--bodkin-header:#f7f9f9;--bodkin-line:#e6eaeb;--bodkin-text:#1a2226;
--bodkin-muted:#5a666d;--bodkin-faint:#606c72;--bodkin-hover:#f3f7f7;--bodkin-selected:#e3f3f0;--bodkin-accent:#0b6b62;
--bodkin-thumb:#c4cdd0;--bodkin-found:#ffe9a8;--bodkin-fresh:#bcd7ff;--bodkin-live:#1a8a4a;--bodkin-stale:#c77700;--bodkin-shadow:0 6px 24px #1a222629,0 1px 4px #1a22261f;--bodkin-field:#fff;--bodkin-error:#b3261e;color-scheme:light;`;
const DARK = `--bodkin-background:#0f1416;--bodkin-header:#151b1e;--bodkin-line:#252e32;--bodkin-text:#e6ecee;
--bodkin-muted:#9aa6ac;--bodkin-faint:#8b979e;--bodkin-hover:#161d20;--bodkin-selected:#12312d;--bodkin-accent:#4fd1bd;
--bodkin-thumb:#3c484d;--bodkin-found:#5a4a10;--bodkin-fresh:#24497a;--bodkin-live:#3fcf7f;--bodkin-stale:#f0a33a;--bodkin-shadow:0 8px 28px #000a,0 0 0 1px #252e32;--bodkin-field:#0f1416;--bodkin-error:#ff8a80;color-scheme:dark;`;
/** What canvases are painted with, in the order of `grid/theme.rs`. */
const THEME = 'background header line text muted faint hover selected accent thumb found fresh font series-1 series-2 series-3 series-4 series-5 series-6 series-7 series-8'.split(' ');
const themeOf = (element) => {
  const style = getComputedStyle(element);
  return THEME.map((name) => style.getPropertyValue(`--bodkin-${name}`).trim());
};
const STYLE = `
:host{${LIGHT}--bodkin-font:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
display:block;height:100%;min-height:220px;contain:strict;contain-intrinsic-height:420px;font:13px/1.4 var(--bodkin-font);color:var(--bodkin-text)}
@media (prefers-color-scheme:dark){:host{${DARK}}}
:host([theme=light]){${LIGHT}} :host([theme=dark]){${DARK}}
:host([hidden]){display:none}
[hidden]{display:none!important}
*{box-sizing:border-box}
.frame{position:absolute;inset:0;container-type:inline-size;display:flex;flex-direction:column;background:var(--bodkin-background);overflow:clip}
.bar,.status{display:flex;align-items:center;gap:12px;padding:0 14px;flex:none;white-space:nowrap}
.bar{min-height:48px;border-bottom:1px solid var(--bodkin-line)}
.status{height:30px;border-top:1px solid var(--bodkin-line);color:var(--bodkin-muted);font-size:12px;background:var(--bodkin-header)}
.count b{font-weight:600;font-variant-numeric:tabular-nums}
.live{display:inline-flex;align-items:center;gap:6px;color:var(--bodkin-muted);font-size:12px;font-variant-numeric:tabular-nums}
.live i{width:8px;height:8px;border-radius:4px;background:var(--bodkin-faint)}
.live[data-state=live] i{background:var(--bodkin-live)}
.live:is([data-state=stale],[data-state=reconnecting]) i{background:var(--bodkin-stale)}
.live[data-state=reconnecting] i{animation:waiting 1.2s ease-in-out infinite}
@keyframes waiting{50%{opacity:.25}}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.pill{position:absolute;left:50%;bottom:26px;transform:translateX(-50%);height:30px;padding:0 14px;border:0;border-radius:15px;
background:var(--bodkin-accent);color:var(--bodkin-background);font-size:12px;font-weight:600;cursor:pointer;box-shadow:var(--bodkin-shadow)}
.dim{color:var(--bodkin-muted)}
.grow{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis}
.chips{display:flex;flex-wrap:wrap;gap:6px;min-width:0}
.bar .chips{flex:1;flex-wrap:nowrap;overflow-x:auto;scrollbar-width:none}
.chip{display:inline-flex;flex:none;align-items:center;gap:4px;height:26px;padding:0 4px 0 10px;border-radius:13px;max-width:260px;
background:var(--bodkin-selected);color:var(--bodkin-accent);font-size:12px;font-weight:500}
.chip span{overflow:hidden;text-overflow:ellipsis}
button,select,input{font:inherit;color:inherit}
.chip button{all:unset;cursor:pointer;width:18px;height:18px;border-radius:9px;text-align:center;line-height:17px;font-size:14px}
.chip button:hover{background:var(--bodkin-accent);color:var(--bodkin-background)}
.button{height:30px;padding:0 12px;border:1px solid var(--bodkin-line);border-radius:7px;background:var(--bodkin-field);
font-weight:500;cursor:pointer}
.button:hover{border-color:var(--bodkin-accent)}
.button[aria-expanded=true]{background:var(--bodkin-selected);border-color:var(--bodkin-selected);color:var(--bodkin-accent)}
:is(button,select,input,canvas,pre):focus-visible,:is(.chip,.find,.menu) button:not([role]):focus-visible{outline:2px solid var(--bodkin-accent);outline-offset:1px}
:is(canvas,pre):focus-visible{outline-offset:-2px}
.whole-value pre:focus-visible{outline-color:var(--bodkin-line);border-radius:0 0 8px 8px}
canvas:is(.pointed,.selected):focus-visible{outline:none}
.value .dim{margin-right:8px}
.sums{display:flex;gap:14px;font-variant-numeric:tabular-nums;color:var(--bodkin-text);overflow:hidden}
.menu{position:absolute;z-index:3;min-width:200px;max-width:min(420px,calc(100% - 8px));max-height:calc(100% - 8px);padding:5px;overflow:auto;
border:1px solid var(--bodkin-line);border-radius:9px;background:var(--bodkin-background);box-shadow:var(--bodkin-shadow)}
.menu:focus{outline:none}
.menu [role=menuitem]{all:unset;box-sizing:border-box;display:flex;gap:24px;align-items:center;width:100%;padding:5px 10px;
border-radius:6px;cursor:default;white-space:nowrap}
.menu [role=menuitem] span{flex:1;overflow:hidden;text-overflow:ellipsis}
.menu [role=menuitem]:focus{background:var(--bodkin-selected);color:var(--bodkin-accent)}
.menu kbd{font:inherit;font-size:12px;color:var(--bodkin-muted)}
.menu hr{height:1px;margin:5px 0;border:0;background:var(--bodkin-line)}
.columns{display:flex;flex-direction:column;gap:6px;width:250px;padding:8px}
.columns .list{overflow:auto;min-height:60px}
.columns .list>div{display:flex;align-items:center;border-radius:6px}
.columns .list>div:hover{background:var(--bodkin-hover)}
.columns label{display:flex;flex:1;gap:8px;align-items:center;min-width:0;padding:4px 6px;cursor:pointer}
.columns label span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.columns input[type=checkbox]{margin:0;width:15px;height:15px;accent-color:var(--bodkin-accent)}
input[type=search],.find input{height:30px;padding:0 9px;border:1px solid var(--bodkin-line);border-radius:7px;background:var(--bodkin-field);min-width:0}
.pin{all:unset;padding:1px 8px;margin-right:4px;border-radius:9px;font-size:12px;color:var(--bodkin-muted);cursor:pointer}
.pin:hover{background:var(--bodkin-line)}
.pin[aria-pressed=true]{background:var(--bodkin-selected);color:var(--bodkin-accent);font-weight:500}
.find{position:absolute;z-index:2;top:8px;right:20px;display:flex;gap:4px;align-items:center;padding:6px;border-radius:9px;font-size:12px;
border:1px solid var(--bodkin-line);background:var(--bodkin-background);box-shadow:var(--bodkin-shadow)}
.find input{width:180px;font-size:13px}
.find input.none{border-color:var(--bodkin-error);color:var(--bodkin-error)}
.find .dim{min-width:72px;padding:0 4px;text-align:right;font-variant-numeric:tabular-nums}
.find button{all:unset;width:26px;height:26px;border-radius:6px;text-align:center;cursor:pointer;font-size:14px}
.find button:hover{background:var(--bodkin-hover)}
.whole-value{display:flex;flex-direction:column;width:420px;max-height:min(360px,calc(100% - 8px));padding:0}
.whole-value .head{display:flex;gap:6px;align-items:center;padding:8px 8px 8px 12px;border-bottom:1px solid var(--bodkin-line)}
.whole-value b{flex:1;font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.whole-value .button{height:26px;padding:0 10px;font-size:12px}
.whole-value pre{margin:0;padding:12px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.panel{display:grid;grid-template-columns:auto 1fr;gap:10px 14px;align-items:center;padding:12px 14px;
border-bottom:1px solid var(--bodkin-line);background:var(--bodkin-header)}
.panel label{display:inline-flex;gap:6px;align-items:center;font-size:12px;cursor:pointer}
.panel input{margin:0;width:15px;height:15px;accent-color:var(--bodkin-accent)}
.panel .label{color:var(--bodkin-muted);font-size:12px}
.panel select{height:26px;max-width:180px;padding:0 6px;border:1px solid var(--bodkin-line);border-radius:13px;
background:var(--bodkin-field);font-size:12px}
.progress{height:2px;flex:none;background:transparent;margin-top:-2px;z-index:1;opacity:0;transition:opacity .4s .2s}
.progress.on{opacity:1;transition:none}
.progress i{display:block;height:100%;width:0;background:var(--bodkin-accent)}
.grid{position:relative;flex:1;min-height:0}
.scroller{position:absolute;inset:0;overflow:auto;scrollbar-width:none}
.scroller::-webkit-scrollbar{display:none}
canvas{position:sticky;display:block;top:0;left:0;touch-action:pan-x pan-y}
.boxes{position:absolute;right:0;overflow:clip;pointer-events:none}
.box{position:absolute;top:2px;height:26px;pointer-events:auto}
.boxes input{width:100%;height:26px;padding:0 20px 0 8px;border:1px solid var(--bodkin-line);border-radius:6px;
background:var(--bodkin-field);font-size:12px;min-width:0}
.boxes input::placeholder{color:var(--bodkin-faint);opacity:1}
.boxes input:focus{outline:none;border-color:var(--bodkin-accent);box-shadow:0 0 0 1px var(--bodkin-accent)}
.boxes input.set{border-color:var(--bodkin-accent);color:var(--bodkin-accent);font-weight:500}
.boxes input[aria-invalid=true]{border-color:var(--bodkin-error);box-shadow:0 0 0 1px var(--bodkin-error);color:var(--bodkin-error)}
.funnel{all:unset;position:absolute;top:1px;right:1px;width:22px;height:24px;border-radius:5px;cursor:pointer;color:var(--bodkin-faint)}
.funnel::before{content:"";position:absolute;inset:8px 6px 7px;background:currentColor;clip-path:polygon(0 0,100% 0,60% 48%,60% 100%,40% 82%,40% 48%)}
.funnel:is(:hover,[aria-expanded=true]){background:var(--bodkin-hover);color:var(--bodkin-accent)}
input.set+.funnel{color:var(--bodkin-accent)}
.filter{display:flex;flex-direction:column;gap:10px;width:308px;padding:12px}
.filter .row{display:flex;gap:8px;align-items:center;min-width:0}
.filter .row>*{min-width:0}
.filter .head b{flex:1;font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.filter .dim{font-size:12px;white-space:nowrap}
.filter :is(input:not([type=checkbox]),select){flex:1;width:0;height:28px;padding:0 8px;border:1px solid var(--bodkin-line);border-radius:7px;background:var(--bodkin-field);font-size:12px}
.filter input[type=checkbox]{margin:0;width:15px;height:15px;flex:none;accent-color:var(--bodkin-accent)}
.filter label.row{cursor:pointer;font-size:12px}
.filter .wrong{border-color:var(--bodkin-error)!important}
.filter p{margin:0;font-size:12px;color:var(--bodkin-error);overflow-wrap:anywhere}
.filter code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--bodkin-accent);overflow:hidden;text-overflow:ellipsis;white-space:nowrap;flex:1}
.tabs{display:flex;gap:2px;padding:2px;border-radius:8px;background:var(--bodkin-header);border:1px solid var(--bodkin-line)}
.tabs button{all:unset;flex:1;padding:2px 0;border-radius:6px;text-align:center;font-size:12px;font-weight:500;color:var(--bodkin-muted);cursor:pointer}
.tabs button[aria-pressed=true]{background:var(--bodkin-background);color:var(--bodkin-accent);box-shadow:0 1px 2px #0002}
.brush{position:relative;display:flex;align-items:flex-end;height:76px;margin:0 7px;border-bottom:1px solid var(--bodkin-line);cursor:crosshair;touch-action:none;user-select:none}
.brush i{flex:1;margin-right:1px;background:var(--bodkin-thumb);border-radius:2px 2px 0 0;pointer-events:none}
.brush:not(.whole) i.on{background:var(--bodkin-accent)}
.brush .window{position:absolute;top:0;bottom:0;cursor:grab}
.brush:not(.whole) .window{background:color-mix(in srgb,var(--bodkin-accent) 12%,transparent)}
.brush.whole .window{pointer-events:none}
.grip{position:absolute;top:0;bottom:-5px;width:12px;margin-left:-6px;cursor:ew-resize;border-radius:4px}
.grip::before{content:"";position:absolute;left:5px;width:2px;top:0;bottom:0;background:var(--bodkin-accent)}
.grip::after{content:"";position:absolute;left:2px;width:8px;bottom:0;height:12px;border-radius:3px;background:var(--bodkin-accent);border:2px solid var(--bodkin-background)}
.grip:focus-visible{outline:2px solid var(--bodkin-accent)}
.presets:empty{display:none}
.filter .what{width:68px;flex:none}
.presets{display:flex;flex-wrap:wrap;gap:4px}
.presets button,.only{all:unset;padding:2px 8px;border:1px solid var(--bodkin-line);border-radius:10px;font-size:12px;cursor:pointer;white-space:nowrap}
.presets button:hover,.only:hover{border-color:var(--bodkin-accent)}
.presets button[aria-pressed=true]{background:var(--bodkin-selected);border-color:var(--bodkin-selected);color:var(--bodkin-accent)}
.filter .list{height:212px;margin:0 -6px;overflow:auto;overflow-anchor:none}
.filter .list label{padding:3px 6px;border-radius:6px;font-size:13px;background:linear-gradient(var(--bodkin-selected),var(--bodkin-selected)) no-repeat 0 100%/var(--part,0) 2px}
.filter .list label:hover{background-color:var(--bodkin-hover)}
.filter .list label>span:first-of-type{flex:1;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.filter .list .dim{font-variant-numeric:tabular-nums}
.filter .list i{color:var(--bodkin-muted)}
.only{padding:0 6px;opacity:0}
.only:focus-visible,label:hover .only{opacity:1}
.link{all:unset;color:var(--bodkin-accent);font-size:12px;cursor:pointer}
.link:hover{text-decoration:underline}
:is(.presets,.tabs) button:focus-visible,.filter :is(.only,.link):focus-visible{outline:2px solid var(--bodkin-accent);outline-offset:1px}
.tip{position:absolute;top:50px;z-index:3;padding:2px 8px;border-radius:6px;background:var(--bodkin-accent);color:var(--bodkin-background);font-size:12px;font-variant-numeric:tabular-nums;pointer-events:none;white-space:nowrap}
.message{position:absolute;inset:0;display:flex;flex-direction:column;gap:8px;align-items:center;justify-content:center;
padding:24px;text-align:center;pointer-events:none}
.message.whole{background:var(--bodkin-background);pointer-events:auto}
.message b{font-size:15px;font-weight:600}
.message p{margin:0;max-width:56ch;color:var(--bodkin-muted);overflow-wrap:anywhere}
.message .button{margin-top:8px;pointer-events:auto}
.value{color:var(--bodkin-text)}
.value.error{color:var(--bodkin-error)}
@media (prefers-reduced-motion:reduce){*{transition:none!important;animation:none!important}}
@container (max-width:640px){.status .time,.count .dim{display:none}.bar{gap:6px;padding:0 8px;overflow-x:auto;scrollbar-width:none}.bar>*,.bar .chips{flex:none}.bar .chips{overflow:visible}.button{padding:0 9px}}
@media (forced-colors:active){canvas{forced-color-adjust:none}}`;
