/*
 * Charts of calls that answer: <div data-plot="ID" hidden> becomes a chart of
 * the table with that id (time, allowed, refused), drawn by uPlot, and the
 * still picture beside it, [data-plot-still], goes.  What the mouse points at,
 * or the arrow keys choose, is said below.  Without this script the picture
 * stays, and so it does where the reader's own colours are forced, which a
 * canvas does not take over.
 */
"use strict";
(() => {
	const HEIGHT = 200;
	const box = document.querySelector("[data-plot]");
	const still = document.querySelector("[data-plot-still]");
	const table = box && document.getElementById(box.dataset.plot);
	if (!table || matchMedia("(forced-colors: active)").matches)
		return;

	const read = (cell) => Number(cell.textContent.replaceAll(",", ""));
	const rows = [...table.tBodies[0].rows];
	const says = rows.map((row) => `${row.cells[0].textContent}: ` +
	    `${row.cells[1].textContent} allowed, ` +
	    `${row.cells[2].textContent} refused`);
	const counts = rows.map((row) =>
	    [read(row.cells[1]), read(row.cells[2])]);
	/* What is there is seen, however little it is: a pixel or so. */
	const least = Math.max(...counts.map(([yes, no]) => yes + no)) / HEIGHT;
	const seen = (n) => n > 0 ? Math.max(n, least) : 0;
	const allowed = counts.map(([yes]) => seen(yes));
	/* Drawn first, and covered by what was allowed: a stack. */
	const all = counts.map(([yes, no]) => seen(yes) + seen(no));
	const short = new Intl.NumberFormat("en", { notation: "compact" });
	/* Whole numbers only: 1, 2, 5, 10 ... */
	const steps = [...Array(13).keys()].flatMap((e) =>
	    [1, 2, 5].map((n) => n * 10 ** e));

	const stage = document.createElement("div");
	const said = document.createElement("p");
	stage.className = "plot";
	stage.tabIndex = 0;
	stage.setAttribute("role", "slider");
	stage.setAttribute("aria-label", box.dataset.plotLabel);
	stage.setAttribute("aria-valuemin", "0");
	stage.setAttribute("aria-valuemax", String(rows.length - 1));
	said.className = "small dim";
	box.append(stage, said);
	box.hidden = false;
	still.hidden = true;

	/* What is said: of a bar, or how to choose one. */
	let here = rows.length - 1;
	const say = (i) => {
		if (i !== null) {
			here = i;
			stage.setAttribute("aria-valuenow", String(i));
			stage.setAttribute("aria-valuetext", says[i]);
		}
		said.textContent = i !== null ? says[i] :
		    "Point at a bar, or use the arrow keys, for its numbers.";
	};

	const chart = (width) => {
		const style = getComputedStyle(stage);
		const colour = (name) => style.getPropertyValue(name).trim();
		const bars = uPlot.paths.bars({ size: [0.92, 80] });
		const axis = {
			stroke: colour("--ink-2"),
			font: `12px ${style.fontFamily}`,
			ticks: { show: false },
		};
		const series = (fill) => ({
			paths: bars, fill: colour(fill), stroke: colour(fill),
			width: 0, points: { show: false },
		});
		const below = {
			...axis, size: 28, space: 70, grid: { show: false },
			incrs: [1, 2, 3, 4, 5, 6, 10, 15],
			values: (u, at) => at.map((i) =>
			    rows[i]?.cells[0].textContent ?? ""),
		};
		const beside = {
			...axis, size: 46, incrs: steps,
			grid: { stroke: colour("--line"), width: 1 },
			values: (u, at) => at.map((n) => short.format(n)),
		};
		return new uPlot({
			width, height: HEIGHT,
			legend: { show: false },
			cursor: {
				y: false, points: { show: false },
				drag: { x: false, y: false },
			},
			scales: {
				x: { time: false,
				    range: [-0.6, rows.length - 0.4] },
				y: { range: (u, low, high) => [0, high || 1] },
			},
			axes: [below, beside],
			series: [{}, series("--bad-fill"),
			    series("--accent-fill")],
			hooks: { setCursor:
			    [(u) => say(u.cursor.idx ?? null)] },
		}, [rows.map((_, i) => i), all, allowed], stage);
	};

	let plot = null;
	const draw = () => {
		plot?.destroy();
		plot = chart(stage.clientWidth);
	};
	draw();
	say(here);
	say(null);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
	    draw);
	new ResizeObserver(() => {
		const width = stage.clientWidth;
		if (width !== plot.width)
			plot.setSize({ width, height: HEIGHT });
	}).observe(stage);

	const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1,
		Home: -rows.length, End: rows.length };
	const show = (i) => {
		plot.setCursor({ left: plot.valToPos(i, "x"), top: 1 }, false);
		say(i);
	};
	stage.addEventListener("keydown", (event) => {
		const step = STEPS[event.key];
		if (step === undefined || event.altKey || event.ctrlKey ||
		    event.metaKey)
			return;
		event.preventDefault();
		show(Math.min(Math.max(here + step, 0), rows.length - 1));
	});
	stage.addEventListener("focus", () => show(here));
})();
