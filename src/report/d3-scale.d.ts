// What of d3-scale is used: linear and logarithmic scales of numbers. Its own types are a package more, for this much.

declare module "d3-scale" {
  /** A linear scale. */
  export interface LinearScale {
    (value: number): number;
    ticks(count?: number): number[];
    tickFormat(count?: number): (value: number) => string;
  }
  /** Makes a logarithmic one. */
  export function scaleLog(domain: readonly [number, number], range: readonly [number, number]): LinearScale;
  /** Makes one from domain to range. */
  export function scaleLinear(domain: readonly [number, number], range: readonly [number, number]): LinearScale;
}
