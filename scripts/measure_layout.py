"""Print how the program is laid out: packages and loose modules (boxes), imports between them, layers and cycles.

A box stands one layer above the highest box that it imports. Boxes that import one another form a cycle and share a
layer. Usage: scripts/measure_layout.py [FOLDER]     (FOLDER holds the package `aigen`; the repository by default)
"""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

Edges = dict[str, set[str]]


def read_edges(package: Path) -> Edges:
    """Return which boxes each box imports."""
    boxes = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/__init__.py")}
    edges: Edges = {box: set() for box in boxes - {"__init__"}}
    for path in package.rglob("*.py"):
        box = path.relative_to(package).parts[0].removesuffix(".py")
        if box in edges:
            edges[box] |= {name.split(".")[1] for name in read_imports(path)} & (edges.keys() - {box})
    return edges


def read_imports(path: Path) -> set[str]:
    """Return every `aigen.…` that a file imports, wherever in it, without what only a type checker reads."""
    return _imports(ast.parse(path.read_text(encoding="utf-8")))


def _imports(tree: ast.AST) -> set[str]:
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        return set()
    found = set()
    if isinstance(tree, ast.Import):
        found = {name.name for name in tree.names}
    elif isinstance(tree, ast.ImportFrom) and tree.module:
        found = {tree.module} | {f"{tree.module}.{name.name}" for name in tree.names}
    return {name for name in found if name.startswith("aigen.")}.union(*map(_imports, ast.iter_child_nodes(tree)))


def find_cycles(edges: Edges) -> list[list[str]]:
    """Return the groups of boxes that import one another, each sorted."""
    reached = {box: _reachable(edges, box) for box in edges}
    groups = {tuple(sorted(each for each in edges if each in reached[box] and box in reached[each])) for box in edges}
    return sorted(list(group) for group in groups if len(group) > 1)


def _reachable(edges: Edges, start: str) -> set[str]:
    found = {start}
    waiting = [start]
    while waiting:
        for box in edges[waiting.pop()] - found:
            found.add(box)
            waiting.append(box)
    return found


def find_layers(edges: Edges) -> list[list[str]]:
    """Return the boxes of each layer, the lowest layer first."""
    group_of = {box: box for box in edges} | {box: cycle[0] for cycle in find_cycles(edges) for box in cycle}
    below: Edges = {group: set() for group in group_of.values()}
    for box, used in edges.items():
        below[group_of[box]] |= {group_of[other] for other in used} - {group_of[box]}
    level: dict[str, int] = {}
    for group in TopologicalSorter(below).static_order():
        level[group] = max((level[other] for other in below[group]), default=-1) + 1
    layers: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for box in sorted(edges):
        layers[level[group_of[box]]].append(box)
    return layers


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent
    edges = read_edges(root / "aigen")
    layers, cycles = find_layers(edges), find_cycles(edges)
    for layer in reversed(layers):
        print("   ", ", ".join(layer))
    imports = sum(map(len, edges.values()))
    print(f"{len(edges)} boxes, {len(layers)} layers, {imports} imports between boxes, {len(cycles)} cycles")
    for cycle in cycles:
        print("cycle:", ", ".join(cycle))


if __name__ == "__main__":
    main()
