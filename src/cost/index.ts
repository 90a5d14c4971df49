// What policies cost, in nanoseconds: figures as data, a bill from counters.
export { type CostCounters, cost } from "./cost.js";
export {
  type Confidence,
  type CostFigure,
  type CostModel,
  checkCostModel,
  defaultCostModel,
  notModelled,
} from "./model.js";
export { type Cost, type CostKind, type CostLine, costKinds } from "./result.js";
