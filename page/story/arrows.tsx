// Arrows from pointers to the frames that they name: measured when everything stands, drawn behind it, and only where there is room.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

interface Arrow {
  line: string;
  head: string;
  kind: string;
}

/** What the arrows lead across: elements with `data-to` point at those with `data-frame` of the same number. */
export function Arrows({ children, of }: { children: ComponentChildren; of: unknown }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [arrows, setArrows] = useState<readonly Arrow[]>([]);
  // Another state has other arrows
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const measure = (): void => setArrows(arrowsIn(element));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [of]);
  return (
    <div class="arrows" ref={place}>
      <svg aria-hidden="true">
        {arrows.map(({ line, head, kind }) => (
          <g key={line} class={kind}>
            <path class="line" d={line} />
            <path class="head" d={head} />
          </g>
        ))}
      </svg>
      {children}
    </div>
  );
}

const HEAD = 7;

function arrowsIn(element: HTMLElement): Arrow[] {
  const from = element.getBoundingClientRect();
  return [...element.querySelectorAll<HTMLElement>("[data-to]")].flatMap((pointer) => {
    const target = element.querySelector(`[data-frame="${pointer.dataset["to"]}"]`);
    if (!target) return [];
    const a = pointer.getBoundingClientRect();
    const b = target.getBoundingClientRect();
    const right = a.right <= b.left;
    if (!right && b.right > a.left) return [];
    const [x1, x2] = right ? [a.right, b.left - HEAD] : [a.left, b.right + HEAD];
    const y1 = a.top + a.height / 2 - from.top;
    const y2 = b.top + b.height / 2 - from.top;
    const [start, end] = [x1 - from.left, x2 - from.left];
    const middle = (start + end) / 2;
    const tip = right ? end + HEAD : end - HEAD;
    return {
      line: `M${start} ${y1}C${middle} ${y1} ${middle} ${y2} ${end} ${y2}`,
      head: `M${tip} ${y2}L${end} ${y2 - HEAD * 0.7}L${end} ${y2 + HEAD * 0.7}Z`,
      kind: pointer.dataset["kind"] ?? "",
    };
  });
}
