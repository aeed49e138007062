"""Makes the faces of this folder from the published ones.

    python3 -m venv venv && venv/bin/pip install fonttools==4.68.0
    venv/bin/python make.py REGULAR BOLD HANAMINB OUT

REGULAR and BOLD are NotoSerifSC_400Regular.ttf and NotoSerifSC_700Bold.ttf of the npm package
@expo-google-fonts/noto-serif-sc 0.4.3; HANAMINB is HanaMinB.ttf of Debian's fonts-hanazono 20170904-2.1.
"""

import sys
from array import array
from math import hypot
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from fontTools.ttLib.tables._g_l_y_f import GlyphCoordinates
from fontTools.ttLib.tables.ttProgram import Program

KEPT = {"head", "hhea", "maxp", "OS/2", "hmtx", "cmap", "loca", "glyf", "name", "post"}


def gb2312():
    """The 6,763 Han of GB 2312 with its punctuation, and Latin with its accents."""
    points = set(range(0x20, 0x7F)) | set(range(0xA0, 0x250)) | set(range(0x2010, 0x2040)) | {0xB7, 0x30FB}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                points.add(ord(bytes([row, cell]).decode("gb2312")))
            except UnicodeDecodeError:
                pass
    return points


def subset(path, points, units):
    """The characters of the face that are in `points`, on a grid of `units` to the em, nothing but outlines."""
    font = TTFont(path, recalcTimestamp=False)
    options = Options()
    options.layout_features = []
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = [1, 2, 4, 6]
    options.name_languages = [0x409]
    options.legacy_kern = False
    cutter = Subsetter(options)
    cutter.populate(unicodes=[c for c in font.getBestCmap() if points is None or c in points])
    cutter.subset(font)
    for table in list(font.keys()):
        if table not in KEPT and table != "GlyphOrder":
            del font[table]
    if units != font["head"].unitsPerEm:
        scale_upem(font, units)
    return font


def far(points, first, last, slack):
    """Which points between `first` and `last` a polygon must keep to stay within `slack` (Douglas and Peucker)."""
    kept, todo = set(), [(first, last)]
    while todo:
        first, last = todo.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        dx, dy = x1 - x0, y1 - y0
        length = hypot(dx, dy)
        worst, at = slack, None
        for i in range(first + 1, last):
            x, y = points[i]
            off = abs(dx * (y - y0) - dy * (x - x0)) / length if length else hypot(x - x0, y - y0)
            if off > worst:
                worst, at = off, i
        if at is not None:
            kept.add(at)
            todo += [(first, at), (at, last)]
    return kept


def thin(glyph, scale, slack):
    """Redraws a glyph of straight lines on a coarser grid with as few points as `slack` (old units) allows."""
    if glyph.numberOfContours <= 0:
        return
    coords, ends, start = [], [], 0
    for end in glyph.endPtsOfContours:
        ring = list(glyph.coordinates[start:end + 1])
        start = end + 1
        # A ring has no ends: cut it at two points that are surely corners.
        first = min(range(len(ring)), key=lambda i: ring[i])
        ring = ring[first:] + ring[:first]
        other = max(range(len(ring)), key=lambda i: hypot(ring[i][0] - ring[0][0], ring[i][1] - ring[0][1]))
        ring.append(ring[0])
        kept = far(ring, 0, other, slack) | far(ring, other, len(ring) - 1, slack) | {0, other}
        small = []
        for i in sorted(kept):
            point = (round(ring[i][0] * scale), round(ring[i][1] * scale))
            if not small or point != small[-1]:
                small.append(point)
        if len(small) > 1 and small[0] == small[-1]:
            small.pop()
        if len(small) < 3:
            continue
        coords += small
        ends.append(len(coords) - 1)
    glyph.coordinates, glyph.flags = GlyphCoordinates(coords), array("B", [1] * len(coords))
    glyph.endPtsOfContours, glyph.numberOfContours = ends, len(ends)
    glyph.program = Program()
    glyph.program.fromBytecode(b"")


def main(regular, bold, hana, out):
    out = Path(out)
    serif = subset(regular, None, 500)
    held = set(serif.getBestCmap())
    serif.save(out / "NotoSerifSC-Regular.ttf")
    subset(bold, gb2312(), 500).save(out / "NotoSerifSC-Bold.ttf")
    # All straight lines: first thinned on the old grid, then set on the new one.
    beyond = subset(hana, set(range(0x20000, 0x2B820)) - held, 1024)
    for name in beyond.getGlyphOrder():
        thin(beyond["glyf"][name], 0.25, 4.0)
    beyond["head"].unitsPerEm = 256
    for table, fields in {"hhea": ["ascent", "descent", "lineGap"],
                          "OS/2": ["sTypoAscender", "sTypoDescender", "sTypoLineGap", "usWinAscent", "usWinDescent",
                                   "xAvgCharWidth"]}.items():
        for field in fields:
            setattr(beyond[table], field, round(getattr(beyond[table], field) / 4))
    for name, (advance, bearing) in beyond["hmtx"].metrics.items():
        glyph = beyond["glyf"][name]
        glyph.recalcBounds(beyond["glyf"])
        beyond["hmtx"].metrics[name] = (round(advance / 4), getattr(glyph, "xMin", 0))
    beyond.save(out / "HanaMinB-256.ttf")


if __name__ == "__main__":
    main(*sys.argv[1:])
