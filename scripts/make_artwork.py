"""Make `aigen/pipelines/storybook/artwork/artwork.zip`, the pictures that the built-in illustrator draws with.

    npm pack @iconify-json/fluent-emoji@1.2.7 emojibase-data@17.0.0
    python scripts/make_artwork.py iconify-json-fluent-emoji-1.2.7.tgz emojibase-data-17.0.0.tgz

The zip holds `<name>.svg` for every base picture (no skin tones) and `index.json`: for each name the label, tags, group
and subgroup that emojibase gives it. The same packages give the same bytes.
"""

import json
import re
import sys
import tarfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "aigen" / "pipelines" / "storybook" / "artwork" / "artwork.zip"
SKIN_TONES = ("-medium-light", "-medium-dark", "-light", "-medium", "-dark")
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'viewBox="0 0 32 32">{body}</svg>'
)


def read_json(package: str, member: str) -> Any:
    with tarfile.open(package) as archive:
        file = archive.extractfile(f"package/{member}")
        assert file is not None
        return json.load(file)


def kebab(label: str) -> str:
    """`“Japanese castle”` -> `japanese-castle`, as the artwork's names are made."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower().replace("'", "")
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def main(artwork: str, labels: str) -> None:
    icons = read_json(artwork, "icons.json")["icons"]
    toned = {name + tone for name in icons for tone in SKIN_TONES}
    names = sorted(icons.keys() - toned)
    messages = read_json(labels, "en/messages.json")
    groups = {group["order"]: group["key"] for group in messages["groups"]}
    subgroups = {group["order"]: group["key"] for group in messages["subgroups"]}
    described = {kebab(entry["label"]): entry for entry in read_json(labels, "en/data.json")}
    index = {}
    for name in names:
        entry = described.get(name, {})
        index[name] = {
            "label": entry.get("label", name.replace("-", " ")),
            "tags": entry.get("tags", []),
            "group": groups.get(entry.get("group")),
            "subgroup": subgroups.get(entry.get("subgroup")),
        }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        files = {"index.json": json.dumps(index, ensure_ascii=False, sort_keys=True)}
        files |= {f"{name}.svg": SVG.format(body=icons[name]["body"]) for name in names}
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED, 9)
    unmatched = sum(entry["group"] is None for entry in index.values())
    print(f"{TARGET.name}: {len(names)} pictures, {unmatched} without a label, {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
