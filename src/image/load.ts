// From an image to a walker over its tables. A core may hold all of memory; only frames reached as tables become tables of
// the walker (see tables.ts).
import { createWalker } from "../hardware/make-walker.js";
import type { Walker } from "../hardware/walker.js";
import { type ImageContext, imageContext, imageTables, type LoadOptions } from "./context.js";
import type { CoreImage } from "./core.js";
import { ImageError } from "./error.js";
import type { TableGraph } from "./tables.js";

// The walker's own bound on its frame store: 4 GiB of tables.
const MAX_TABLES = 2 ** 19;

/** An image with a walker over its tables. */
export interface LoadedImage {
  /** The image itself. */
  image: CoreImage;
  /** Where and how it is walked. */
  context: ImageContext;
  /** Its tables. */
  graph: TableGraph;
  /** A walker over copies of its tables. */
  walker: Walker;
}

/**
 * Makes a walker over the tables of an image. Setting accessed and dirty bits changes the walker's copies only.
 *
 * @throws ImageError as {@link imageContext} and {@link imageTables}, or if there are more than 2^19 tables
 * @example
 * ```ts
 * import { Access } from "stalewalk";
 * import { loadImage } from "stalewalk/image";
 * import { openCoreFile } from "stalewalk/image/node";
 *
 * const { image, close } = await openCoreFile("vm.core.gz");
 * const { walker, graph } = await loadImage(image);
 * const outcome = walker.translate(0xffffffffff600000n, Access.userRead);
 * console.log(graph.tables.size, outcome.kind === "ok" && outcome.physicalAddress.toString(16)); // 68 29e04000
 * close();
 * ```
 */
export async function loadImage(image: CoreImage, options: LoadOptions = {}): Promise<LoadedImage> {
  const context = imageContext(image, options);
  const graph = imageTables(image, context);
  if (graph.tables.size > MAX_TABLES) {
    throw new ImageError(image.file, `${graph.tables.size} tables are more than the ${MAX_TABLES} a walker can hold`);
  }
  const { levels, maxPhyAddr, pages1G } = context.rules;
  const { controls } = context;
  const walker = await createWalker({ levels, maxPhyAddr, pages1G, tables: graph.tables.size, controls });
  for (const frame of graph.tables.keys()) walker.setTable(frame, image.frame(frame)!);
  walker.setRoot(context.root);
  return { image, context, graph, walker };
}
