"""How figures of pages look, and how they become small files that are the same each time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from rxnopt.pages.text import unit, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACCENT, INK, GREY, FAINT = "#2a6f97", "#333333", "#7d848a", "#c4c8cc"
COLOURS = 128
STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a9096",
    "axes.labelcolor": INK,
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.titlesize": 9,
}


def label(name: str, unit_text: str) -> str:
    """Return the words at an axis: quantity over unit."""
    shown = unit(unit_text)
    return f"{words(name)} / {shown}" if shown else words(name)


def png(figure: Figure) -> bytes:
    """Return a figure as PNG with a palette and without a word about when and by what it was made."""
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=120, facecolor="white", metadata={"Software": None})
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()
