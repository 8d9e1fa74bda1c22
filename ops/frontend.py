"""Front-end packages: fetched by npm from the locked list, the files we serve copied beside the run.

Nothing comes from a CDN and nothing fetched is committed. The icons become one sprite of those
named in `ops/icons.txt`. A manifest keeps the SHA-256 of every file copied.
"""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

from ops.places import ROOT, Places, Trouble, say

PACKAGE_FILES = ("package.json", "package-lock.json", ".npmrc")
ICONS = ROOT / "ops" / "icons.txt"
FILES = {
    "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "echarts/echarts.min.js": "echarts/dist/echarts.min.js",
    "ol/ol.js": "ol/dist/ol.js",
    "ol/ol.css": "ol/ol.css",
}
SPRITE = "tabler-icons/sprite.svg"


def prepare(places: Places) -> bool:
    """Make the served files what the lock file and our lists say; say whether anything was done."""
    stamp = places.run / "assets.sha256"
    sources = [ROOT / name for name in PACKAGE_FILES] + [ICONS, Path(__file__)]
    wanted = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    if stamp.exists() and stamp.read_text().strip() == wanted:
        return False
    say("Fetching the front-end packages ...")
    stamp.unlink(missing_ok=True)
    node = places.run / "node"
    node.mkdir(parents=True, exist_ok=True)
    for name in PACKAGE_FILES:
        shutil.copyfile(ROOT / name, node / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=node, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        raise Trouble("npm could not fetch the front-end packages.")
    copy(node / "node_modules", places.run / "assets" / "vendor")
    stamp.write_text(wanted + "\n")
    return True


def copy(modules: Path, vendor: Path) -> None:
    """Copy the named files out of the fetched packages and write the manifest."""
    manifest = {}
    contents = {name: without_map((modules / source).read_bytes()) for name, source in FILES.items()}
    contents[SPRITE] = sprite(modules / "@tabler" / "icons" / "icons", ICONS.read_text().split()).encode()
    for name, content in sorted(contents.items()):
        target = vendor / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        manifest[name] = hashlib.sha256(content).hexdigest()
    (vendor / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def without_map(content: bytes) -> bytes:
    """Drop the pointer to a source map, which we do not serve."""
    content = re.sub(rb"/\*# sourceMappingURL=[^*]*\*/\s*", b"", content)
    return re.sub(rb"^//# sourceMappingURL=.*$\n?", b"", content, flags=re.MULTILINE)


def sprite(icons: Path, names: list[str]) -> str:
    """Return one SVG with a symbol for every named icon ("name" or "name-filled")."""
    symbols = []
    for name in sorted(set(names)):
        filled = name.endswith("-filled")
        path = icons / ("filled" if filled else "outline") / f"{name.removesuffix('-filled')}.svg"
        if not path.exists():
            raise Trouble(f"ops/icons.txt names an icon that does not exist: {name}")
        drawing = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", path.read_text(), flags=re.DOTALL)
        paint = 'fill="currentColor"' if filled else 'fill="none" stroke="currentColor" stroke-width="2"'
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" {paint} stroke-linecap="round"'
            f' stroke-linejoin="round">{" ".join(drawing.split())}</symbol>'
        )
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"
