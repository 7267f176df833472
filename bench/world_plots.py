"""Plots as plain SVG: axes, ticks, lines and points; nothing but text is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from pathlib import Path
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 560, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 48
# dark enough on white and apart for those who see few colours (Okabe and Ito 2008)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#555555")


@dataclass(slots=True)
class Axis:
    """An axis from `low` to `high`; `log` for powers of ten. `ticks`: (value, label) or none."""

    says: str
    low: float
    high: float
    log: bool = False
    ticks: Sequence[tuple[float, str]] = ()

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        if self.log:
            return (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def marks(self) -> list[tuple[float, str]]:
        """Ticks and their labels."""
        if self.ticks:
            return list(self.ticks)
        if self.log:
            tens = range(ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9) + 1)
            return [(10.0**n, f"{10.0**n:g}") for n in tens]
        step = (self.high - self.low) / 5
        return [(self.low + i * step, f"{self.low + i * step:.3g}") for i in range(6)]


@dataclass(slots=True)
class Plot:
    """One plot; `lines` are (name, x, y, dashed)."""

    title: str
    x: Axis
    y: Axis
    lines: list[tuple[str, Sequence[float], Sequence[float], bool]] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the SVG file."""
        wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
            f'font-family="sans-serif" font-size="12" role="img" '
            f'aria-label="{escape(self.title)}">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
            f'<text x="{_LEFT}" y="18" font-size="14">{escape(self.title)}</text>',
            f'<rect x="{_LEFT}" y="{_TOP}" width="{wide}" height="{high}" '
            f'fill="none" stroke="#999"/>',
        ]
        for value, label in self.x.marks():
            at = _LEFT + wide * self.x.place(value)
            out.append(
                f'<path d="M{at:.1f} {_TOP}v{high}" stroke="#eee"/>'
                f'<text x="{at:.1f}" y="{_TOP + high + 16}" text-anchor="middle">{label}</text>'
            )
        for value, label in self.y.marks():
            at = _TOP + high * (1 - self.y.place(value))
            out.append(
                f'<path d="M{_LEFT} {at:.1f}h{wide}" stroke="#eee"/>'
                f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{label}</text>'
            )
        middle = _TOP + high / 2
        out.append(
            f'<text x="{_LEFT + wide / 2}" y="{_HEIGHT - 10}" text-anchor="middle">'
            f"{escape(self.x.says)}</text>"
            f'<text x="14" y="{middle}" text-anchor="middle" '
            f'transform="rotate(-90 14 {middle})">{escape(self.y.says)}</text>'
        )
        for i, (name, xs, ys, dashed) in enumerate(self.lines):
            out += self._line(i, name, xs, ys, dashed)
        path.write_text("\n".join([*out, "</svg>"]) + "\n", "utf-8")

    def _line(
        self, i: int, name: str, xs: Sequence[float], ys: Sequence[float], dashed: bool
    ) -> list[str]:
        wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        points = [
            (_LEFT + wide * self.x.place(x), _TOP + high * (1 - self.y.place(y)))
            for x, y in zip(xs, ys, strict=True)
            if self._inside(x, y)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        colour, at = COLOURS[i % len(COLOURS)], _TOP + 16 + 16 * i
        return [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
            f'<path d="M{_WIDTH - 236} {at - 4}h22" stroke="{colour}" stroke-width="2"{dash}/>'
            f'<text x="{_WIDTH - 208}" y="{at}">{escape(name)}</text>',
        ]

    def _inside(self, x: float, y: float) -> bool:
        if (self.x.log and x <= 0) or (self.y.log and y <= 0):
            return False
        return -1e-9 <= self.x.place(x) <= 1 + 1e-9 and -1e-9 <= self.y.place(y) <= 1 + 1e-9
