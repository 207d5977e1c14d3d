"""Line charts and flame graphs as SVG."""

import math
from html import escape

COLOURS = ("#1f6fb4", "#d1495b", "#2e933c", "#8f5fbf", "#c77700", "#555555")
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 110, 40, 50

RECALL_TICKS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0)
# Recall 1 has a place as well: that of half a miss in a thousand rows.
MISS_FLOOR = 0.0005


def recall_place(recall):
    """Recalls near 1 are spread out: each half of the misses is as wide."""
    return -math.log(1 - recall + MISS_FLOOR)


def log_ticks(low, high):
    out = []
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        out += [m * 10.0 ** power for m in (1, 2, 5)]
    return [t for t in out if low <= t <= high]


class Axis:
    def __init__(self, low, high, place, at_low, at_high):
        self.place = place
        self.low, self.high = place(low), place(high)
        if self.low == self.high:
            self.high += 1
        self.at_low, self.at_high = at_low, at_high

    def __call__(self, value):
        share = (self.place(value) - self.low) / (self.high - self.low)
        return self.at_low + share * (self.at_high - self.at_low)


def document(width, height, body):
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
            'font-family="sans-serif" font-size="12">\n'
            '<rect width="100%%" height="100%%" fill="white"/>\n%s\n</svg>\n'
            % (width, height, "\n".join(body)))


def text(x, y, s, anchor="middle", more=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x, y, anchor, more, escape(s))


def line(x1, y1, x2, y2):
    return ('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#dddddd"/>'
            % (x1, y1, x2, y2))


def grid(x, y, xs, ys):
    out = []
    for v in xs:
        out += [line(x(v), TOP, x(v), HEIGHT - BOTTOM),
                text(x(v), HEIGHT - BOTTOM + 16, "%g" % v)]
    for v in ys:
        out += [line(LEFT, y(v), WIDTH - RIGHT, y(v)),
                text(LEFT - 6, y(v) + 4, "%g" % v, "end")]
    return out


def curve(name, points, colour, number, x, y):
    places = ["%.1f,%.1f" % (x(a), y(b)) for a, b in points]
    out = ['<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>'
           % (" ".join(places), colour)]
    out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s: recall %.4f,'
            ' %g</title></circle>' % (x(a), y(b), colour, escape(name), a, b)
            for a, b in points]
    out += [text(WIDTH - RIGHT + 10, TOP + 12 + 16 * number, name, "start",
                 ' fill="%s" font-weight="bold"' % colour)]
    return out


def recall_chart(title, y_label, series):
    """series: [(name, [(recall, value)])]; values on a logarithmic axis."""
    all_points = [p for _, points in series for p in points if p[1] > 0]
    recalls = [a for a, _ in all_points]
    values = [b for _, b in all_points]
    x = Axis(min(recalls), 1.0, recall_place, LEFT, WIDTH - RIGHT)
    y = Axis(min(values) * 0.9, max(values) * 1.1, math.log,
             HEIGHT - BOTTOM, TOP)
    body = grid(x, y, [t for t in RECALL_TICKS if t >= min(recalls)],
                log_ticks(min(values) * 0.9, max(values) * 1.1))
    for i, (name, points) in enumerate(series):
        body += curve(name, [p for p in points if p[1] > 0],
                      COLOURS[i % len(COLOURS)], i, x, y)
    body += [text(WIDTH / 2, 20, title, "middle", ' font-size="14"'),
             text(WIDTH / 2, HEIGHT - 10, "recall"),
             text(14, HEIGHT / 2, y_label, "middle",
                  ' transform="rotate(-90 14 %d)"' % (HEIGHT // 2))]
    return document(WIDTH, HEIGHT, body)


# Flame graphs

FLAME_WIDTH, ROW = 1200, 17
# Narrower boxes are left out.
NARROW = 0.3


def fold(lines):
    """{(function, ...): samples}, outermost first, from perf script's output."""
    stacks, stack, inside = {}, [], False
    for raw in lines:
        s = raw.rstrip()
        if not s:
            if inside and stack:
                key = tuple(reversed(stack))
                stacks[key] = stacks.get(key, 0) + 1
            stack, inside = [], False
        elif not raw.startswith(("\t", " ")):
            inside = True
        elif inside:
            # "  address function+0xoffset (file)"
            name = s.split(None, 1)[1] if " " in s.strip() else s.strip()
            stack.append(name.rsplit(" (", 1)[0].split("+0x")[0])
    return stacks


def flame_tree(stacks):
    root = [0, {}]
    for stack, n in stacks.items():
        node = root
        node[0] += n
        for name in stack:
            node = node[1].setdefault(name, [0, {}])
            node[0] += n
    return root


def flame_boxes(node, name, x, depth, scale, out):
    width = node[0] * scale
    if width < NARROW:
        return
    out.append((name, x, depth, width, node[0]))
    for child in sorted(node[1]):
        flame_boxes(node[1][child], child, x, depth + 1, scale, out)
        x += node[1][child][0] * scale


def flame_graph(stacks, title):
    root = flame_tree(stacks)
    if root[0] == 0:
        raise SystemExit("no samples")
    boxes = []
    flame_boxes(root, "all", 0, 0, FLAME_WIDTH / root[0], boxes)
    height = (max(b[2] for b in boxes) + 1) * ROW + 30
    body = [text(FLAME_WIDTH / 2, 18, title, "middle", ' font-size="14"')]
    for name, x, depth, width, n in boxes:
        y = height - (depth + 1) * ROW
        hue = sum(map(ord, name)) % 50
        shown = name[:int(width / 7)] if width > 21 else ""
        body.append(
            '<g><title>%s: %d samples, %.2f %%</title><rect x="%.1f" y="%d" '
            'width="%.1f" height="%d" fill="hsl(%d 80%% 62%%)" stroke="white" '
            'stroke-width="0.5"/>%s</g>' % (
                escape(name), n, 100 * n / root[0], x, y, width, ROW - 1, hue,
                text(x + 2, y + 12, shown, "start") if shown else ""))
    return document(FLAME_WIDTH, height, body)
