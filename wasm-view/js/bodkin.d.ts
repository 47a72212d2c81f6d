/**
 * Arrow tables on the screen: `<bodkin-table>`, and what a page's program says to it.
 *
 * @module
 */

/** Where the module may come from. A text is a URL, relative to the page. */
export type WasmSource =
  | string
  | URL
  | Request
  | Response
  | Promise<Response>
  | BufferSource
  | WebAssembly.Module;

/** The colours of a table; without one it follows what the person prefers. */
export type Theme = 'light' | 'dark';

/** Who holds the rows: the page, a worker, or the server. */
export type Engine = 'page' | 'worker' | 'server';

/** An aggregate's name. Other functions of the server's plans may be named, too. */
export type AggregateFunction = 'count' | 'sum' | 'mean' | 'min' | 'max' | (string & {});

/** A column of the table. */
export interface Column {
  readonly name: string;
  /** Its Arrow type, as the header shows it. */
  readonly type: string;
}

/** How a column is written; what is not said is the column's own. */
export interface ColumnFormat {
  style?: 'plain' | 'percent' | 'si' | 'scientific' | 'bytes' | 'hex';
  decimals?: number;
  /** Whether thousands stand apart. */
  grouping?: boolean;
  /** `locale`: in the order of the reader's place. */
  date?: 'iso' | 'locale';
  /** A time zone's name, or `local`. */
  zone?: string;
}

/** A chart of what is shown. */
export interface Chart {
  kind: 'bar' | 'line' | 'scatter';
  x: string;
  /** Figures and their columns: `[['mean', 'dep_delay']]`. */
  y: readonly (readonly [string, string?])[];
  colour?: string;
}

/** How a table that changes is followed. */
export type ConnectionState = 'live' | 'stale' | 'reconnecting' | 'ended';

/** A column among the others. What is not said stays as it is. */
export interface ColumnArrangement {
  name: string;
  hidden?: boolean;
  /** Whether it stays at the left. */
  pinned?: boolean;
  /** In CSS pixels. */
  width?: number;
  format?: ColumnFormat | null;
}

/** Where a column stands, in full. */
export type ArrangedColumn = Readonly<Required<Omit<ColumnArrangement, 'format'>>> & { readonly format?: ColumnFormat };

/** A figure of each group. */
export interface Aggregate {
  function: AggregateFunction;
  /** The column that it is of; empty for a count of rows. */
  column?: string;
}

/** Keys and figures of groups; both empty when the rows are shown. */
export interface Grouping {
  keys: string[];
  aggregates: Aggregate[];
}

/** The cells that are selected: from, and up to but not with. */
export interface SelectedArea {
  readonly rows: readonly [from: number, to: number];
  /** Positions on the screen, from the left. */
  readonly columns: readonly [from: number, to: number];
}

/** What is wrong, for people. */
export interface LoadError {
  readonly title: string;
  readonly detail: string;
  readonly url: string;
}

/** What is loaded and shown. What has a question mark is there once the module is. */
export interface TableState {
  readonly loading: boolean;
  readonly error: LoadError | null;
  /** Rows that will come, if the server told. */
  readonly rowsTotal?: number | null;
  readonly rowsLoaded: number;
  /** Rows that pass the filters, or groups. */
  readonly rowsShown: number;
  readonly bytes?: number;
  /** The table's columns, in the stream's order. */
  readonly columns?: readonly Column[];
  /** Names of the columns on the screen, from the left. */
  readonly shown?: readonly string[];
  /** All columns, also those that are hidden, in their order. */
  readonly arranged?: readonly ArrangedColumn[];
  /** Names of the columns, with `-` before those that descend. */
  readonly sort?: readonly string[];
  /** What stands in the filter boxes, by column. */
  readonly filters?: Readonly<Record<string, string>>;
  readonly group?: Grouping;
  readonly engine?: Engine | null;
  /** Whether rows are being found that were asked for. */
  readonly working?: boolean;
  /** Row and position of the cell that has the focus; empty without one. */
  readonly selection?: readonly number[];
  readonly selected?: SelectedArea | null;
  /** The row at the top, with the part of it that is out of sight. */
  readonly topRow?: number;
}

/** What a person made of a table. Plain data: keep it as JSON. */
export interface View {
  form: number;
  /** Names of the columns, with `-` before those that descend. */
  sort: readonly string[];
  /** What stands in the filter boxes, by column. */
  filters: Readonly<Record<string, string>>;
  group: Grouping;
  /** All columns in their order. */
  columns: readonly ColumnArrangement[];
  topRow: number;
  theme: string | null;
  chart: Chart | null;
}

/** The schema has come. */
export interface SchemaDetail {
  readonly columns: readonly Column[];
}

/** Rows have come. */
export interface ProgressDetail {
  readonly rows: number;
  /** Rows that will come, if the server told. */
  readonly total: number | null;
  /** From 0 to 1. */
  readonly part: number;
}

/** All rows are here. */
export interface LoadDetail {
  readonly rows: number;
  readonly bytes: number;
  /** Whether they are those of the last visit, which are being checked. */
  readonly cached: boolean;
  readonly engine: Engine;
}

/** What was kept since the last visit has been compared with the server's. */
export interface CheckedDetail {
  /** `followed`: a live table, which has the updates since. `refused`: it is gone, or not for this person. `unreachable`: nobody answered, and what was kept is shown. */
  readonly found: 'unchanged' | 'changed' | 'followed' | 'refused' | 'unreachable';
}

/** Rows, sort, filters or groups are others. */
export interface ViewDetail {
  readonly rowsLoaded: number;
  readonly rowsShown: number;
  readonly sort: readonly string[];
  readonly filters: Readonly<Record<string, string>>;
  readonly group: Grouping;
}

/** The first rows of a sort of many are shown; the others are being put in order. */
export interface HeadDetail {
  /** Rows of the view. */
  readonly rows: number;
}

/** Columns were moved, hidden, shown or pinned. */
export interface ColumnsDetail {
  readonly columns: readonly ArrangedColumn[];
}

/** Something else is selected. */
export interface SelectDetail {
  /** The cell that has the focus: its row, and its position from the left. */
  readonly focus: { readonly row: number; readonly column: number } | null;
  readonly selected: SelectedArea | null;
}

/** The light beside the count says something else. */
export interface ConnectionDetail {
  readonly state: ConnectionState;
  /** Seconds since the server was heard. */
  readonly age: number;
  readonly attempts: number;
}

/** Rows have changed on the server. */
export interface UpdateDetail {
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
}

/** The events of a table. They bubble, and come out of shadow trees. */
export interface BodkinTableEventMap {
  'bodkin-schema': CustomEvent<SchemaDetail>;
  'bodkin-progress': CustomEvent<ProgressDetail>;
  'bodkin-load': CustomEvent<LoadDetail>;
  'bodkin-error': CustomEvent<LoadError>;
  'bodkin-checked': CustomEvent<CheckedDetail>;
  /** Headers know what their columns hold. */
  'bodkin-profile': CustomEvent<Record<string, never>>;
  'bodkin-head': CustomEvent<HeadDetail>;
  'bodkin-view': CustomEvent<ViewDetail>;
  'bodkin-columns': CustomEvent<ColumnsDetail>;
  'bodkin-select': CustomEvent<SelectDetail>;
  'bodkin-connection': CustomEvent<ConnectionDetail>;
  'bodkin-update': CustomEvent<UpdateDetail>;
}

/** What can be set of a table, as a property or an attribute of the same name. */
export interface TableProperties {
  /** The URL of an Arrow stream. */
  src?: string | null;
  theme?: Theme | (string & {}) | null;
  /** Who holds the rows; without one it is chosen by the table's size. */
  engine?: Engine | 'auto' | (string & {}) | null;
  /** Megabytes beyond which the rows stay on the server, if it can keep them. */
  budget?: number | string | null;
  /** Keeps the stream for the next visit, if the server gives it an entity tag. */
  cache?: boolean | string | null;
}

/** What a table can be told and asked. */
export interface TableMethods {
  /** Loads an Arrow stream. Resolves when all rows are here, or the load failed. */
  load(url: string): Promise<void>;
  /** Resolves when the table is loaded; rejects when that fails. */
  whenLoaded(): Promise<void>;
  /** What is loaded and shown. */
  state(): TableState;
  /** The exact text of shown cells, row by row; null where a cell is null. */
  cells(offset?: number, rows?: number): Promise<(string | null)[][]>;
  /** Sorts by columns: `['origin', '-dep_delay']`. Resolves when the rows are shown. */
  setSort(keys: readonly string[]): Promise<void> | undefined;
  /**
   * Filters a column by what one would type into its box; an empty text takes the filter away.
   *
   * @throws what was expected; the filter stays as it was.
   */
  setFilter(column: string, text: string): Promise<void> | undefined;
  /** Groups by columns with aggregates: `[['mean', 'dep_delay'], ['count']]`. Empty lists end it. */
  setGroup(
    keys: readonly string[],
    aggregates?: readonly (readonly [AggregateFunction, string?])[],
    options?: { tree?: boolean },
  ): Promise<void> | undefined;
  /** Resolves when the rows that were asked for are shown. */
  settled(): Promise<void>;
  /** Bytes of the memory of the module that holds the rows. */
  memory(): Promise<number>;
  /** Gives up what is being found; the rows that are shown stay. */
  cancel(): void;
  /** Arranges columns in the wanted order; those that are not named follow. */
  setColumns(columns: readonly ColumnArrangement[]): void;
  /** Gives a column a format; `null` takes it away. */
  setFormat(column: string, format: ColumnFormat | null): void;
  /** Draws a chart; `null` closes it. */
  chart(chart: Chart | null): void;
  /** What the chart's tooltip says. */
  pointed(): string;
  /** Selects from a cell to a cell, each a row and a position; without the second one cell. */
  select(from: readonly [row: number, position: number], to?: readonly [row: number, position: number]): void;
  /** Scrolls until a row stands at the top. */
  scrollToRow(row: number): void;
  /** The view as it is now, in its columns' order, as comma-separated values. */
  toCsv(): Promise<Blob>;
  /** Shows all rows in their order. */
  reset(): Promise<void> | undefined;
  /** What a person made of the table, to be kept as JSON. */
  save(): View;
  /**
   * Brings back what `save` gave, or parts of it, as soon as there are rows. A part that is missing changes nothing; one
   * that is there replaces what it speaks of. Resolves to what could not be brought back, such as columns that are gone.
   */
  restore(view: Partial<View> | null): Promise<string[]>;
  /** Where a column's header is, in the window's coordinates. */
  headerRect(name: string): DOMRect;
  /** Where a cell is, in the window's coordinates. */
  cellRect(row: number, name: string): DOMRect;
}

export interface BodkinTable extends TableMethods {}

/** `<bodkin-table src="…">`: a table of an Arrow stream. */
export declare class BodkinTable extends HTMLElement {
  static readonly observedAttributes: string[];

  get src(): string | null;
  set src(value: string | null | undefined);
  get theme(): string | null;
  set theme(value: string | null | undefined);
  get engine(): string | null;
  set engine(value: string | null | undefined);
  get budget(): string | null;
  set budget(value: number | string | null | undefined);
  get cache(): string | null;
  set cache(value: boolean | string | null | undefined);
  /** The view: read, it is saved; written, it is restored. */
  get view(): View;
  set view(value: Partial<View> | null | undefined);
  /** A token, or what gives one: asked for before each load and each connection. */
  token?: string | (() => string | null | Promise<string | null>);
  /** Headers that requests are sent with; put another function in its place, for tokens. */
  headers: () => Record<string, string>;

  addEventListener<K extends keyof BodkinTableEventMap>(
    type: K,
    listener: (this: BodkinTable, event: BodkinTableEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: BodkinTable, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof BodkinTableEventMap>(
    type: K,
    listener: (this: BodkinTable, event: BodkinTableEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (this: BodkinTable, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** Listeners of `mount`, by the events' names without `bodkin-`. */
export type TableListeners = {
  [K in keyof BodkinTableEventMap as K extends `bodkin-${infer Name}` ? Name : never]?: (
    detail: BodkinTableEventMap[K]['detail'],
    event: BodkinTableEventMap[K],
  ) => unknown;
};

/** What `mount` takes. */
export interface MountOptions extends TableProperties {
  /** A view to begin with, whole or in parts. */
  view?: Partial<View> | null;
  /** Gives headers that requests are sent with. */
  headers?: () => Record<string, string>;
  /** A token, or what gives one: asked for before each load and each connection. */
  token?: string | (() => string | null | Promise<string | null>);
  on?: TableListeners;
}

/** A table that `mount` put into the page. */
export interface MountedTable extends TableMethods {
  readonly element: BodkinTable;
  /** Takes it out, and frees what it held. */
  destroy(): void;
}

/** Puts a table into an element of the page, given by itself or by a selector. */
export declare function mount(place: string | Element, options?: MountOptions): MountedTable;

/**
 * Says where the module's two parts and the worker's script are, before the first table is in the page. Without, they are
 * beside the script; the second part, `more`, is beside the first when that is at an address.
 */
export declare function configure(places: { wasm?: WasmSource; more?: WasmSource; worker?: string | URL }): void;

/** Loads the module ahead of the first table; without a source from where it is. */
export declare function init(wasm?: WasmSource): Promise<void>;

/** Drops everything that tables of this origin have kept for the next visit. */
export declare function clearCache(): Promise<void>;

declare global {
  interface HTMLElementTagNameMap {
    'bodkin-table': BodkinTable;
  }
}
