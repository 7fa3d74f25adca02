// Shows every plot's values at the moment under the pointer. Without it the keys show each line's peak.
(() => {
  const group = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const short = (n, digits) => String(+n.toFixed(digits));
  const formats = {
    ms: (v) => v < 0.0995 ? short(v * 1000, 1) + " µs" : v < 9.95 ? short(v, 2) + " ms" : v < 99.95 ? short(v, 1) + " ms"
      : v < 999.5 ? v.toFixed(0) + " ms" : v < 60000 ? short(v / 1000, 2) + " s" : short(v / 60000, 1) + " min",
    n: group,
    rate: (v) => (v < 10 ? short(v, 2) : group(v)) + "/s",
    part: (v) => short(v * 100, 1) + " %",
    plain: (v) => short(v, 2),
    bytes: (v) => {
      const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
      let at = 0;
      while (v >= 1024 && at < 4) { v /= 1024; at += 1; }
      return short(v, 1) + " " + units[at];
    },
  };
  const left = 66, right = 10, width = 560, top = 18, foot = 164;
  for (const box of document.querySelectorAll(".plots[data-end]")) {
    const end = +box.dataset.end, step = +box.dataset.step;
    const plots = [...box.querySelectorAll(".plot")].map((figure) => ({
      lines: JSON.parse(figure.querySelector("script").textContent),
      format: formats[figure.dataset.unit],
      outputs: figure.querySelectorAll("output"),
      svg: figure.querySelector("figure > svg"),
      cross: figure.querySelector(".cross"),
    }));
    const show = (part) => {
      const bin = Math.min(Math.floor(part * end / step), plots[0].lines[0].length - 1);
      const x = left + (bin + 0.5) * step / end * (width - left - right);
      for (const plot of plots) {
        for (const [name, value] of [["x1", x], ["x2", x], ["y1", top], ["y2", foot]]) plot.cross.setAttribute(name, value);
        plot.cross.removeAttribute("hidden");
        plot.lines.forEach((line, index) => {
          const value = line[bin];
          plot.outputs[index].textContent = `${value === null ? "–" : plot.format(value)} at ${short(bin * step, 0)} s`;
        });
      }
    };
    const rest = () => plots.forEach((plot) => {
      plot.cross.setAttribute("hidden", "");
      plot.outputs.forEach((output) => { output.textContent = output.dataset.rest; });
    });
    for (const plot of plots) {
      plot.svg.addEventListener("pointermove", (event) => {
        const area = plot.svg.getBoundingClientRect();
        const part = ((event.clientX - area.left) / area.width * width - left) / (width - left - right);
        if (part >= 0 && part <= 1) show(part); else rest();
      });
      plot.svg.addEventListener("pointerleave", rest);
    }
  }
})();
