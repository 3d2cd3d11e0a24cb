// Draws the figures of a page in the page's own ink, and anew when the reader's colour scheme changes.
window.TorchQuantPlotly = (function () {
  "use strict";
  var clear = "rgba(0,0,0,0)", fonts = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Sans KR',sans-serif";

  function shade(ink, opacity) {
    var parts = ink.match(/^rgba?\(([\d.]+)[, ]+([\d.]+)[, ]+([\d.]+)/);
    return parts ? "rgba(" + parts[1] + "," + parts[2] + "," + parts[3] + "," + opacity + ")" : "rgba(125,130,138," + opacity + ")";
  }

  // The colours that depend on the page.
  function dress(figure, data, layout) {
    var ink = getComputedStyle(figure).color;
    layout.font = Object.assign({}, layout.font, { color: ink, family: fonts, size: 12 });
    layout.paper_bgcolor = layout.plot_bgcolor = clear;
    layout.modebar = { bgcolor: clear, color: shade(ink, 0.45), activecolor: ink };
    Object.keys(layout).filter(function (key) { return /^[xy]axis/.test(key); }).forEach(function (key) {
      Object.assign(layout[key], { gridcolor: shade(ink, 0.13), linecolor: shade(ink, 0.45), zerolinecolor: shade(ink, 0.45), tickcolor: shade(ink, 0.45) });
    });
    data.forEach(function (trace) { if (trace.type === "heatmap" && trace.texttemplate) trace.textfont = { color: ink }; });
  }

  function draw(figure) {
    figure.dataset.drawn = "true";
    var content = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    var target = document.createElement("div");
    // It has its place before it is drawn: Plotly measures it.
    figure.appendChild(target);
    delete content.layout.title;
    dress(figure, content.data, content.layout);
    return Plotly.newPlot(target, content.data, content.layout, { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] }).then(function () {
      figure.querySelector(".tq-static").style.display = "none";
      figure.querySelector("figcaption").style.display = "";
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
        dress(figure, content.data, content.layout);
        Plotly.react(target, content.data, content.layout);
      });
    }).catch(function (error) {
      // The static chart stays.
      target.remove();
      console.error("A chart could not be made interactive:", error);
    });
  }

  function drawAll(key) {
    var which = key ? "='" + key + "'" : "";
    document.querySelectorAll("figure[data-tq-plotly" + which + "]:not([data-drawn])").forEach(draw);
  }

  return { drawAll: drawAll };
})();
TorchQuantPlotly.drawAll();
