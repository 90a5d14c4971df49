// From PT_LOAD segments to runs of whole frames. Rules for segments that do not lie on frame borders or overlap:
// - only frames whose 4096 bytes all lie in the file bytes of one segment count; the rest of p_memsz is memory that was
//   not saved, not zeroes;
// - of overlapping segments the one that starts lower gives the frame (on a tie the earlier program header), unless both
//   take the bytes from the same place of the file, as dumps with virtual addresses do: that is no conflict.
import { hex } from "../base/notation.js";
import { FirstOf } from "./first-of.js";

const PAGE = 4096;

/** A PT_LOAD segment: physical memory saved in the file. */
export interface Segment {
  /** Index of its program header. */
  index: number;
  /** p_paddr, in bytes. */
  physicalAddress: bigint;
  /** p_memsz, in bytes; bytes beyond `fileSize` were not saved. */
  memorySize: bigint;
  /** p_offset, in bytes. */
  fileOffset: number;
  /** p_filesz, in bytes. */
  fileSize: number;
}

/** Consecutive frames that are consecutive in the file. */
export interface FrameRun {
  /** First frame number. */
  first: number;
  /** Number of frames. */
  count: number;
  /** File offset of the first frame, in bytes. */
  offset: number;
}

/** Orders the segments into disjoint runs of whole frames, by ascending frame number, and tells what was odd. */
export function layOutFrames(segments: readonly Segment[]): { runs: FrameRun[]; warnings: string[] } {
  const runs: FrameRun[] = [];
  const cut = new FirstOf();
  const overlaps = new FirstOf();
  const pieces = segments.filter((segment) => segment.fileSize > 0).map((segment) => wholeFrames(segment, cut));
  pieces.sort((a, b) => a.run.first - b.run.first || a.segment.index - b.segment.index);
  let end = 0;
  let last: FrameRun | undefined;
  for (const { segment, run } of pieces) {
    if (run.count === 0) continue;
    const covered = Math.max(0, Math.min(end - run.first, run.count));
    if (covered > 0 && last && last.offset - last.first * PAGE !== run.offset - run.first * PAGE) {
      overlaps.add(
        `program header ${segment.index}: ${covered} frame(s) from ${hex(run.first)} overlap an earlier segment; ` +
          `the bytes of the segment that starts lower are used`,
      );
    }
    if (covered === run.count) continue;
    last = { first: run.first + covered, count: run.count - covered, offset: run.offset + covered * PAGE };
    end = last.first + last.count;
    runs.push(last);
  }
  return { runs, warnings: [...cut.told(), ...overlaps.told()] };
}

function wholeFrames(segment: Segment, warnings: FirstOf): { segment: Segment; run: FrameRun } {
  const address = Number(segment.physicalAddress);
  const first = Math.ceil(address / PAGE);
  const head = first * PAGE - address;
  const count = Math.max(0, Math.floor((segment.fileSize - head) / PAGE));
  const used = count * PAGE;
  if (used !== segment.fileSize) {
    warnings.add(
      `program header ${segment.index}: p_paddr ${hex(segment.physicalAddress)} and p_filesz ${hex(segment.fileSize)} ` +
        `are not multiples of 0x1000; ${segment.fileSize - used} byte(s) of incomplete frames are left out`,
    );
  }
  return { segment, run: { first, count, offset: segment.fileOffset + head } };
}
