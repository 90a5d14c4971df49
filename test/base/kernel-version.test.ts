// Versions of Linux: how they are read, and which known one stands for one that is asked for.

import { describe, expect, it } from "vitest";
import { compareVersions, nearestVersion, versionNumbers } from "../../src/base/kernel-version.js";
import { InvalidOptionError } from "../../src/index.js";

describe("a version", () => {
  it.each([
    ["6.12", [6, 12, 0]],
    ["6.12.117", [6, 12, 117]],
    ["6.12.117+deb12-amd64", [6, 12, 117]],
    ["6.1.0-53-amd64", [6, 1, 0]],
    ["7.3-rc4", [7, 3, 0]],
    ["6.17.9_1", [6, 17, 9]],
    [" 6.12.4\n", [6, 12, 4]],
  ] as const)("%j is read", (text, numbers) => {
    expect(versionNumbers(text)).toEqual(numbers);
  });

  it.each(["", "7", "6.12.", "v6.12", "6.12.1.2", "6.x", "linux", "6.12 x", "99999.1"])("%j is none", (text) => {
    expect(versionNumbers(text)).toBeUndefined();
  });

  it("is compared by numbers, not by text", () => {
    expect(compareVersions([6, 9, 0], [6, 12, 0])).toBeLessThan(0);
    expect(compareVersions([7, 0, 0], [6, 99, 99])).toBeGreaterThan(0);
    expect(compareVersions([6, 18, 7], [6, 18, 53])).toBeLessThan(0);
    expect(compareVersions([6, 18, 7], [6, 18, 7])).toBe(0);
  });
});

describe("the nearest known version", () => {
  const known = ["7.0", "6.18.53", "6.1", "6.18.7"] as const;
  const takes = (asked: unknown): string => nearestVersion(known, asked, "kernel").version;
  const note = (asked: string): string => nearestVersion(known, asked, "kernel").note;

  it("is the nearest not above it inside its series", () => {
    expect(["6.18.7", "6.18.15", "6.18.52", "6.18.53", "6.18.99"].map(takes)).toEqual([
      "6.18.7",
      "6.18.7",
      "6.18.7",
      "6.18.53",
      "6.18.53",
    ]);
  });

  it("is of the nearest series below for a series that none is known of, without that series' later fixes", () => {
    expect(["6.19.4", "6.17", "7.4.1"].map(takes)).toEqual(["6.18.7", "6.1", "7.0"]);
    expect(note("6.19.4")).toBe("taken for 6.18.7: nothing is known of 6.19");
  });

  it("is of the nearest series below for a release older than all that are known of its series", () => {
    expect(takes("6.18.6")).toBe("6.1");
    expect(note("6.18.6")).toBe("taken for 6.1: nothing so old is known of 6.18");
  });

  it("has a note only where it is another", () => {
    expect(["7.0", "7.0.0", "6.18.7-amd64"].map(note)).toEqual(["", "", ""]);
    expect(note("6.18.15+deb14-amd64")).toBe("taken for 6.18.7");
  });

  it("is refused by name below the oldest, and for what is no version", () => {
    for (const wrong of ["5.15", "6.0.12", "linux", "", 6.12, undefined, null, {}]) {
      expect(() => takes(wrong), String(wrong)).toThrow(InvalidOptionError);
    }
    expect(() => takes("5.15")).toThrow('kernel is "5.15"; expected 6.1 or later');
  });
});
