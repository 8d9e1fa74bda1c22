// Draws the chosen layers from vector tiles; what is chosen stands in the page's form and its URL.
(() => {
  "use strict";

  const place = document.getElementById("map");
  if (!place || !window.ol) return;
  const given = JSON.parse(document.getElementById(place.dataset.map).textContent);
  const panel = document.getElementById("feature");
  const swatch = document.createElement("span");
  document.body.append(swatch);
  const colours = [0, 1, 2, 3, 4, 5].map((number) => {
    swatch.className = `map-colour-${number}`;
    return getComputedStyle(swatch).color;
  });
  swatch.remove();

  const styleOf = (colour) => new ol.style.Style({
    stroke: new ol.style.Stroke({ color: colour, width: 1.5 }),
    fill: new ol.style.Fill({ color: colour.replace("rgb(", "rgba(").replace(")", ", 0.15)") }),
    image: new ol.style.Circle({ radius: 4, fill: new ol.style.Fill({ color: colour }), stroke: new ol.style.Stroke({ color: "#ffffff", width: 1 }) }),
  });

  const grid = new ol.layer.Tile({ source: new ol.source.TileDebug(), opacity: 0.25 });
  const outlines = new ol.layer.Vector({
    source: new ol.source.Vector(),
    style: (feature) => new ol.style.Style({
      stroke: new ol.style.Stroke({ color: "#667382", width: 1.5, lineDash: [6, 4] }),
      text: new ol.style.Text({ text: feature.get("name"), font: "13px sans-serif", fill: new ol.style.Fill({ color: "#39424e" }) }),
    }),
  });
  fetch(place.dataset.outlines).then((reply) => (reply.ok ? reply.json() : { features: [] })).then((told) => {
    if (!told.features.length) return;
    outlines.getSource().addFeatures(new ol.format.GeoJSON().readFeatures(told, { featureProjection: "EPSG:3857" }));
    grid.setVisible(false);
  }).catch(() => {});

  const layers = given.layers.map((layer) => new ol.layer.VectorTile({
    properties: { uid: layer.uid, title: layer.title },
    style: styleOf(colours[layer.colour]),
    source: new ol.source.VectorTile({
      format: new ol.format.MVT(),
      minZoom: 6,
      maxZoom: 18,
      url: `${place.dataset.tiles}${layer.uid}/tiles/WebMercatorQuad/{z}/{y}/{x}`,
    }),
  }));
  const layersFromBelow = [grid, outlines, ...layers];
  if (given.at) {
    layersFromBelow.push(new ol.layer.Vector({
      source: new ol.source.Vector({ features: [new ol.Feature(new ol.geom.Point(ol.proj.fromLonLat(given.at)))] }),
      style: styleOf("rgb(214, 57, 57)"),
    }));
  }
  const controls = ol.control.defaults.defaults({
    attribution: false,
    zoomOptions: { zoomInTipLabel: place.dataset.zoomIn, zoomOutTipLabel: place.dataset.zoomOut },
  }).extend([new ol.control.ScaleLine()]);
  const view = new ol.View({ minZoom: 4, maxZoom: 20, enableRotation: false });
  const map = new ol.Map({ target: place, layers: layersFromBelow, view, controls });
  if (given.at) map.getView().setCenter(ol.proj.fromLonLat(given.at)), map.getView().setZoom(16);
  else map.getView().fit(ol.proj.transformExtent(given.extent, "EPSG:4326", "EPSG:3857"), { padding: [20, 20, 20, 20], maxZoom: 17 });

  // The page itself says which divisions a point lies in: the link asks for it with everything else as chosen and leads to it.
  const askWhere = (coordinate) => {
    const asked = new URL(location.href);
    asked.searchParams.set("at", ol.proj.toLonLat(coordinate).map((degrees) => degrees.toFixed(6)).join(","));
    const link = document.createElement("a");
    link.href = `${asked.search}#place`;
    link.textContent = panel.dataset.where;
    panel.append(link);
  };

  const told = (heading, properties, labels = {}) => {
    panel.hidden = false;
    panel.replaceChildren();
    const title = document.createElement("h2");
    title.className = "card-title";
    title.textContent = heading;
    panel.append(title);
    if (!properties) return;
    const list = document.createElement("dl");
    list.className = "datagrid";
    for (const [name, value] of Object.entries(properties)) {
      const item = document.createElement("div");
      const term = document.createElement("dt");
      const detail = document.createElement("dd");
      item.className = "datagrid-item";
      term.className = "datagrid-title";
      detail.className = "datagrid-content";
      term.textContent = given.titles[name] || name;
      const label = (labels[name] || {})[value];
      detail.textContent = value === null ? "" : label ? `${label}${panel.dataset.open}${value}${panel.dataset.close}` : String(value);
      item.append(term, detail);
      list.append(item);
    }
    panel.append(list);
  };

  const read = async (found) => {
    try {
      const reply = await fetch(`${place.dataset.tiles}${found.uid}/items/${found.fid}`, { headers: { Accept: "application/geo+json" } });
      if (!reply.ok) throw new Error(String(reply.status));
      const feature = await reply.json();
      const mark = feature.coordinateNote ? ` · ${panel.dataset.shifted} ${feature.coordinateNote}` : "";
      told(found.title + mark, feature.properties, given.labels[found.uid]);
    } catch {
      told(panel.dataset.failed);
    }
  };

  // Points are small, and so are polygons from afar, of which no whole pixel is filled: what lies a few pixels beside counts.
  const NEAR = 4;
  const topmost = async (pixel) => {
    const [x, y] = map.getCoordinateFromPixel(pixel);
    const near = NEAR * view.getResolution();
    const isSmall = (feature) => {
      const [west, south, east, north] = feature.getExtent();
      return Math.max(east - west, north - south) < 4 * near;
    };
    for (const layer of [...layers].reverse()) {
      const [hit] = await layer.getFeatures(pixel);
      const feature = hit || layer.getFeaturesInExtent([x - near, y - near, x + near, y + near]).find(isSmall);
      if (feature) return { uid: layer.get("uid"), title: layer.get("title"), fid: feature.get("fid") };
    }
    return null;
  };

  const show = async (pixel) => {
    const coordinate = map.getCoordinateFromPixel(pixel);
    const found = await topmost(pixel);
    if (found) await read(found);
    else told(panel.dataset.none);
    askWhere(coordinate);
  };
  map.on("singleclick", (event) => show(event.pixel));
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    show(map.getPixelFromCoordinate(map.getView().getCenter()));
  });
})();
