// The chart itself. Chart.js is loaded after the first numbers are shown; the page does without it.

import { clock, day, energy, HOUR, localTime, moment, number, power, weekday } from "./format.js";

const QUARTER = HOUR / 4;
const TICKS = {
  hour: { step: (time) => time.minute % 15 === 0, text: clock, most: 5 },
  day: { step: (time) => time.minute === 0 && time.hour % 3 === 0, text: clock, most: 9 },
  week: { step: (time) => time.minute === 0 && time.hour === 0, text: weekday, most: 8 },
};

let library;

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/assets/chart.js";
    script.onload = () => (window.Chart ? resolve(window.Chart) : reject(new Error("no Chart")));
    script.onerror = () => reject(new Error("not there"));
    document.head.append(script);
  });
  return library;
}

export class Plot {
  constructor(canvas) {
    this.canvas = canvas;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.again());
  }

  /** @returns what is wrong, in words, if anything. */
  async show(picture) {
    this.picture = picture;
    this.canvas.setAttribute("aria-label", picture.label);
    let Chart;
    try {
      Chart = await loadLibrary();
    } catch {
      return "Charts need Chart.js, which this build of the service does not have (Debian: libjs-chart.js). "
        + "The table below has the numbers.";
    }
    // A newer picture may have come meanwhile.
    if (picture !== this.picture) return null;
    const kind = picture.isEnergy ? "bar" : "line";
    if (this.chart && this.kind !== kind) {
      this.chart.destroy();
      this.chart = null;
    }
    this.kind = kind;
    const { data, options, plugins } = this.configuration(picture);
    if (this.chart) {
      this.chart.data = data;
      this.chart.options = options;
      this.chart.update("none");
    } else {
      this.chart = new Chart(this.canvas, { type: kind, data, options, plugins });
    }
    return null;
  }

  again() {
    this.chart?.destroy();
    this.chart = null;
    if (this.picture) this.show(this.picture);
  }

  configuration(picture) {
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      data: picture.isEnergy ? bars(picture, colour) : areas(picture, colour),
      options: this.options(picture, colour),
      plugins: [{ id: "doubts", afterDatasetsDraw: (chart) => drawDoubts(chart, this.picture, colour("dim")) }],
    };
  }

  options(picture, colour) {
    const font = { family: getComputedStyle(this.canvas).fontFamily, size: 12 };
    const show = picture.isEnergy ? energy : power;
    const ticks = { color: colour("dim"), font, maxRotation: 0 };
    return {
      animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 4 } },
      scales: {
        x: picture.isEnergy
          ? { stacked: true, grid: { display: false, borderColor: colour("line") }, ticks: { ...ticks, maxTicksLimit: 10 } }
          : {
            type: "linear", min: picture.from, max: picture.to,
            grid: { color: "transparent", borderColor: colour("line"), tickColor: colour("line") },
            ticks: { ...ticks, callback: (value) => TICKS[picture.range].text(value) },
            afterBuildTicks: (axis) => { axis.ticks = timeTicks(picture, axis.width); },
          },
        y: {
          stacked: true, beginAtZero: true,
          grid: { color: colour("grid"), drawBorder: false, drawTicks: false },
          ticks: { ...ticks, maxTicksLimit: 6, padding: 8, callback: (value) => axisText(value, picture.isEnergy) },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: colour("tip"), titleColor: colour("tip-text"), bodyColor: colour("tip-text"),
          titleFont: { ...font, weight: "600" }, bodyFont: font, padding: 10, boxPadding: 4, usePointStyle: false,
          itemSort: (a, b) => b.datasetIndex - a.datasetIndex,
          filter: (item) => item.raw !== null && (item.raw.y ?? item.raw) !== 0 && (item.raw.y ?? item.raw) !== null,
          callbacks: {
            title: ([item]) => (!item ? "" : picture.isEnergy ? item.label : moment(item.parsed.x)),
            label: (item) => ` ${item.dataset.label}  ${show(item.raw.y ?? item.raw)}`,
          },
        },
      },
    };
  }
}

/** Watts as round numbers of an axis, in kilowatts where they are many. */
function axisText(value, isEnergy) {
  if (isEnergy) return energyAxis(value);
  return Math.abs(value) < 1000 ? `${number(value)} W` : `${Number(value / 1000).toLocaleString()} kW`;
}
const energyAxis = (value) => `${Number(value).toLocaleString()} kWh`;

/** Where the clock of the house is round, also on the days on which it is changed. */
function timeTicks({ range, from, to }, width) {
  const { step, most } = TICKS[range];
  const ticks = [];
  for (let time = Math.ceil(from / QUARTER) * QUARTER; time <= to; time += QUARTER) {
    if (step(localTime(time))) ticks.push({ value: time });
  }
  const every = Math.ceil(ticks.length / Math.max(2, Math.min(most, Math.floor(width / 70))));
  return ticks.filter((_, index) => index % every === 0);
}

function common(line, colour) {
  const tone = line.isTotal ? colour("text") : colour(line.colour);
  return {
    label: line.name || line.id, stack: line.isTotal ? "total" : "circuits",
    borderColor: tone, backgroundColor: line.isTotal ? "transparent" : tone,
  };
}

/** Means of periods are steps; where nothing was stored there is a gap. */
function areas({ lines, points }, colour) {
  const datasets = lines.map((line, index) => ({
    ...common(line, colour), data: steps(points, index, line.isTotal || line.isAlone), stepped: "before",
    borderWidth: line.isTotal ? 1 : 0, pointRadius: 0, pointHitRadius: 8, spanGaps: false,
    fill: line.isTotal ? false : index === 0 ? "origin" : "-1", order: line.isTotal ? 0 : 1,
  }));
  // The filler of a stack looks at the dataset before it: the total comes last.
  return { datasets };
}

function steps(points, index, isLine) {
  const data = [];
  points.forEach((point, at) => {
    const value = point.values[index] ?? (isLine ? null : 0);
    const next = points[at + 1];
    data.push({ x: point.start, y: value });
    if (!next || next.start > point.end) {
      data.push({ x: point.end, y: value });
      if (next) data.push({ x: point.end + 1, y: null });
    }
  });
  return data;
}

function bars({ lines, points }, colour) {
  return {
    labels: points.map(({ start }) => day(start)),
    datasets: lines.filter((line) => !line.isTotal || lines.length === 1).map((line) => ({
      ...common(line, colour), data: points.map(({ values }) => values[lines.indexOf(line)]),
      borderWidth: 0, categoryPercentage: 0.86, barPercentage: 1, maxBarThickness: 44,
    })),
  };
}

/** Dashes along the axis below what was not simply measured. */
function drawDoubts(chart, picture, tone) {
  const { ctx, chartArea, scales } = chart;
  ctx.save();
  ctx.strokeStyle = tone;
  ctx.lineWidth = 3;
  ctx.setLineDash([3, 3]);
  ctx.beginPath();
  picture.points.forEach((point, index) => {
    if (!picture.isDoubtful(point)) return;
    const half = picture.isEnergy ? (scales.x.getPixelForValue(1) - scales.x.getPixelForValue(0)) * 0.4 || 12 : 0;
    const middle = picture.isEnergy ? scales.x.getPixelForValue(index) : 0;
    const left = picture.isEnergy ? middle - half : scales.x.getPixelForValue(Math.max(point.start, picture.from));
    const right = picture.isEnergy ? middle + half : scales.x.getPixelForValue(Math.min(point.end, picture.to));
    if (right <= left) return;
    ctx.moveTo(left, chartArea.bottom - 2);
    ctx.lineTo(right, chartArea.bottom - 2);
  });
  ctx.stroke();
  ctx.restore();
}
