/**
 * The same as the package itself, and `<bodkin-table>` as React writes it.
 *
 * @module
 */

import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { BodkinTable, BodkinTableEventMap, TableProperties, View } from './bodkin.js';

export * from './bodkin.js';

/** Listeners, as React names those of elements that are not its own: `onbodkin-load`. */
export type BodkinTableListeners = {
  [K in keyof BodkinTableEventMap as `on${K}`]?: (event: BodkinTableEventMap[K]) => void;
};

/** What `<bodkin-table>` takes in JSX. */
export type BodkinTableProps = DetailedHTMLProps<HTMLAttributes<BodkinTable>, BodkinTable> &
  TableProperties &
  BodkinTableListeners & {
    /** Is restored whenever it is another object. */
    view?: Partial<View> | null;
  };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'bodkin-table': BodkinTableProps;
    }
  }
}
