"""Draws what a sample costs by its circuits and by the instances beside it: reads the table of `make bench` from
standard input, writes an SVG to standard output."""
import math
import re
import sys

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 300, 56, 34, 46
PANEL = (WIDTH - LEFT - 24) / 2

rows = re.findall(r"\| A sample of ([\d,]+) circuits, (\d+) instances? \|.*; ([\d,.]+) ns a circuit \|", sys.stdin.read())
points = [(int(circuits.replace(",", "")), int(instances), float(cost.replace(",", ""))) for circuits, instances, cost in rows]
if not points:
    sys.exit("no rows 'A sample of …' on standard input")
top = max(cost for _, _, cost in points) * 1.15


def panel(x0, title, values):
    step = PANEL - 70
    parts = [f'<text x="{x0}" y="20" font-weight="600">{title}</text>']
    for part in range(5):
        value = top * part / 4
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * part / 4
        parts.append(f'<line x1="{x0}" y1="{y:.1f}" x2="{x0 + step:.1f}" y2="{y:.1f}" stroke="#8884"/>')
        if x0 == LEFT:
            parts.append(f'<text x="{x0 - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    places = []
    for at, cost in values:
        x = x0 + 24 + (step - 48) * (math.log10(at) - math.log10(values[0][0])) / 2
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * cost / top
        places.append((x, y))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#2a7"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{cost:.0f}</text>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{at}</text>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#2a7" stroke-width="2"/>')
    return "\n".join(parts)


by_circuits = [(circuits, cost) for circuits, instances, cost in points if instances == 1 and circuits != 20]
by_instances = [(instances, cost) for circuits, instances, cost in points if circuits == 20]
print(f'''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#777">
{panel(LEFT, "circuits of a sample, one instance", by_circuits)}
{panel(LEFT + PANEL + 24, "instances, twenty circuits each", by_instances)}
<text x="14" y="{HEIGHT / 2}" transform="rotate(-90 14 {HEIGHT / 2})" text-anchor="middle">ns of CPU a circuit, queue to disk</text>
</svg>''')
