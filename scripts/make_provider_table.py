"""Write the table of docs/hosted.md, which says what each hosted provider can do, from models.toml and prices.toml."""

import argparse
from pathlib import Path

from aigen.pipelines.hosted import families
from aigen.pipelines.hosted.families import ProviderInfo
from aigen.types.request import Kind

PAGE = Path(__file__).parents[1] / "docs" / "hosted.md"
HEAD = (
    "| | images | videos | from your picture | describe | speech | seed | cancel | resume after a crash | price known |"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Only say whether the table is up to date.")
    check = parser.parse_args().check
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = lines.index(HEAD)
    end = next(number for number in range(begin, len(lines)) if not lines[number].startswith("|"))
    written = "\n".join([*lines[:begin], *make_table(), *lines[end:], ""])
    if check and written != PAGE.read_text(encoding="utf-8"):
        raise SystemExit("docs/hosted.md is not up to date: run scripts/make_provider_table.py")
    PAGE.write_text(written, encoding="utf-8")


def make_table() -> list[str]:
    rows = [row(info) for info in families.providers().values()]
    return [HEAD, "|---" * (HEAD.count("|") - 1) + "|", *(f"| {' | '.join(cells)} |" for cells in rows)]


def row(info: ProviderInfo) -> list[str]:
    """What one provider can do with its default models. None describes pictures or speaks yet."""
    used = {kind: [info.family(name) for name in named(info, kind)] for kind in info.kinds}
    picture = [f"{kind}s" for kind, found in used.items() if any(each.starts_from != "prompt" for each in found)]
    seed = [f"{kind}s" for kind, found in used.items() if any(each.seed for each in found)]
    prices = [families.price_of(f"{info.name}:{name}", {}) for kind in info.kinds for name in named(info, kind)]
    return [
        info.title, models(info, "image"), models(info, "video"), " and ".join(picture) or "no", "no", "no",
        " and ".join(seed) or "no", "yes" if info.cancels else "no",
        " and ".join(f"{kind}s" for kind in info.jobs) or "no", "yes" if all(prices) else "no",
    ]  # fmt: skip


def named(info: ProviderInfo, kind: Kind) -> list[str]:
    """The default models of a kind: from words, and from a picture."""
    found = dict.fromkeys(filter(None, (info.default(kind), info.default(kind, from_picture=True))))
    return list(found)


def models(info: ProviderInfo, kind: Kind) -> str:
    usual, *others = [f"`{name}`" for name in named(info, kind)] or ["no"]
    films = [f"narrated films `{info.film}`"] if kind == "video" and info.film else []
    return "; ".join([usual, *(f"from a picture {each}" for each in others), *films])


if __name__ == "__main__":
    main()
