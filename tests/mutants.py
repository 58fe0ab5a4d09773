"""Which changes of a module no test sees: each is made in turn, and the tests that are named run on it.

    make mutants MODULE=k8s_helpers.forecasts.rollout TESTS=tests/unit/test_forecast_rollout.py

What follows the module goes to pytest (paths, `-k …`). A change that survives is printed with its line: it means the
same as what is written, or a test is missing. Sentences, annotations and messages of errors are left as they are. Each
trial is a fork of a process that has loaded all that takes long, so that it costs no more than its tests.
"""

from __future__ import annotations

import ast
import copy
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_LEFT_ALONE = (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr)
_FIELDS_LEFT_ALONE = ("annotation", "returns", "decorator_list")
_PYTEST = ("-x", "-q", "--noconftest", "--tb=no", "-p", "no:cacheprovider")


def _with(node: Any, **changes: Any) -> Any:
    made = copy.deepcopy(node)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                changed = [*ops[:at], _COMPARISONS[type(op)](), *ops[at + 1 :]]
                yield _with(node, ops=changed)
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for at in range(len(values)):
                rest = [*values[:at], *values[at + 1 :]]
                yield copy.deepcopy(rest[0]) if len(rest) == 1 else _with(node, values=rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield copy.deepcopy(operand)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _OPERATORS:
            yield _with(node, op=_OPERATORS[type(op)]())
        case ast.IfExp(body=body, orelse=orelse):
            yield copy.deepcopy(body)
            yield copy.deepcopy(orelse)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)) if value.isascii() and " " not in value:
            yield ast.Constant(f"XX{value}")
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield _with(node, func=ast.Name(_CALLS[name], ast.Load()))
        case ast.If(test=test) | ast.While(test=test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=ifs):
            for at in range(len(ifs)):
                yield _with(node, ifs=[*ifs[:at], *ifs[at + 1 :]])
        case ast.Continue():
            yield ast.Break()
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield each node below a tree with its parent and its place there."""
    for name, value in ast.iter_fields(tree):
        if name in _FIELDS_LEFT_ALONE:
            continue
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for at, child in list(items):
            if not isinstance(child, ast.AST) or isinstance(child, _LEFT_ALONE):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            yield tree, name, at, child
            yield from _places(child)


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """Yield each change of a source in words ("12: a < b  →  a <= b") and the whole source with it."""
    tree = ast.parse(text)
    for parent, name, at, node in _places(tree):
        for new in _changes(node):
            line = getattr(node, "lineno", getattr(getattr(node, "iter", None), "lineno", 0))
            words = f"{line}: {_words(node)}  →  {_words(new)}"
            _put(parent, name, at, new)
            yield words, ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, name, at, node)


def _put(parent: ast.AST, name: str, at: int | None, node: ast.AST) -> None:
    if at is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[at] = node


def _words(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.While):
        node = node.test
    return ast.unparse(node).strip().splitlines()[0][:100]


class _Mutant(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, with a source of its own."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self._name = name
        self._path = path
        self._text = text

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self._path))

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self._path)
        exec(compile(self._text, self._path, "exec"), module.__dict__)


def _survives(mutant: _Mutant, arguments: Sequence[str], timeout_s: float) -> bool:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(int(timeout_s) + 1)
            _silence()
            sys.meta_path.insert(0, mutant)
            code = int(pytest.main([*_PYTEST, *arguments]))
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _load(arguments: Sequence[str]) -> None:
    """Load all that the tests need but for the course's own modules, which each trial loads anew."""
    out, err = os.dup(1), os.dup(2)
    _silence()
    pytest.main([*_PYTEST, "--collect-only", *arguments])
    os.dup2(out, 1)
    os.dup2(err, 2)
    for name in list(sys.modules):
        if name.split(".")[0] in ("k8s_helpers", "tests"):
            del sys.modules[name]
    gc.collect()
    gc.freeze()


def main(name: str, *arguments: str) -> int:
    """Try all changes of a module and print those that survive; return 2 where the tests fail as they are."""
    os.environ |= {"K8S_HELPERS_LIVE": "0", "K8S_HELPERS_LIVE_REHEARSAL": "1"}
    path = Path(*name.split(".")).with_suffix(".py")
    text = path.read_text("utf-8")
    _load(arguments)
    began_s = time.monotonic()
    if not _survives(_Mutant(name, path, text), arguments, 600):
        print("the tests fail as they are")
        return 2
    timeout_s = 5 + 5 * (time.monotonic() - began_s)
    tried = survived = 0
    for words, changed in mutants(text):
        tried += 1
        if _survives(_Mutant(name, path, changed), arguments, timeout_s):
            survived += 1
            print(f"{path}:{words}", flush=True)
    print(f"{name}: {tried} changes, {tried - survived} seen, {survived} not", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
