#!/usr/bin/env python3
"""The layout of meter_adapter.h as a table, and whether a header only appends to a table of before (or names a
field that was reserved).

  tools/abi.py table HEADER             prints the table: structs, fields, functions, constants, ids
  tools/abi.py compare TABLE HEADER     ends with 1 and says what broke where the header does more than append

Types, names and the order of fields come from clang's syntax tree; sizes, offsets and numbers from a C program that is
compiled against the header and run.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PREFIX = "meter_"
# Structs that may grow: a receiver knows how much of them there is by struct_size, or by the stride beside an array.
SIZED_BY_STRIDE = {"meter_circuit", "meter_setting", "meter_http_header"}


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"abi.py: {words[0]} failed:\n{done.stderr[:2000]}")
    return done.stdout


def plain(declared):
    """A type as the syntax tree writes it, without what only a compiler's version decides."""
    return re.sub(r"\s+", " ", declared.replace("struct ", "")).replace(" *", "*").replace("* ", "*").strip()


def declarations(header):
    """The structs with their fields, and the exported functions, as clang sees them."""
    tree = json.loads(run("clang", "-std=c11", "-fsyntax-only", "-Xclang", "-ast-dump=json", "-x", "c", str(header)))
    structs, functions = {}, {}
    for node in tree["inner"]:
        name = node.get("name", "")
        if node["kind"] == "RecordDecl" and name.startswith(PREFIX) and node.get("completeDefinition"):
            fields = [inner for inner in node.get("inner", []) if inner["kind"] == "FieldDecl"]
            structs[name] = [(field["name"], plain(field["type"]["qualType"])) for field in fields]
        if node["kind"] == "FunctionDecl" and name.startswith(PREFIX) and node.get("storageClass") != "static":
            functions[name] = plain(node["type"]["qualType"])
    return structs, functions


def constants(header):
    """The names of the constants that have a value of their own."""
    names = []
    for line in run("clang", "-std=c11", "-dM", "-E", "-x", "c", str(header)).splitlines():
        found = re.fullmatch(r"#define (METER_[A-Z0-9_]+) (.+)", line)
        if found and found.group(1) not in {"METER_ADAPTER_H", "METER_EXPORT", "METER_ZERO"}:
            names.append((found.group(1), found.group(2).startswith('"')))
    return sorted(names)


def program(structs, names):
    """C that prints what only the compiler knows, a line each."""
    lines = ['#include "meter_adapter.h"', "#include <stdio.h>", "int main(void) {"]
    for name, fields in structs.items():
        lines.append(f'    printf("struct {name} size %zu\\n", sizeof({name}));')
        for field, kind in fields:
            lines.append(
                f'    printf("field {name}.{field} offset %zu size %zu type {kind}\\n", '
                f"offsetof({name}, {field}), sizeof((({name} *)0)->{field}));"
            )
    for name, is_text in names:
        value = f'"\\"%s\\"", {name}' if is_text else f'"%lld", (long long)({name})'
        lines.append(f'    printf("constant {name} "); printf({value}); putchar(\'\\n\');')
    return "\n".join(lines + ["    return 0;", "}", ""])


def table(header):
    structs, functions = declarations(header)
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder, "layout.c"), Path(folder, "layout")
        # The header by this name, whatever it is called.
        Path(folder, "meter_adapter.h").write_text(Path(header).read_text())
        source.write_text(program(structs, constants(header)))
        run("cc", "-std=c11", str(source), "-o", str(binary))
        lines = run(str(binary)).splitlines()
    return [f"function {name} type {kind}" for name, kind in sorted(functions.items())] + lines


def parse(lines):
    """Kind and name to the rest of the line."""
    rows = {}
    for line in lines:
        if line and not line.startswith("#"):
            kind, name, rest = line.split(" ", 2)
            rows[kind, name] = rest
    return rows


def may_grow(name, rows):
    return name in SIZED_BY_STRIDE or ("field", f"{name}.struct_size") in rows


def named_reserves(before, now):
    """Fields that were `reserved`, which is always zero, and have a name now: the old name to the new one."""
    named = {}
    for (kind, name), rest in before.items():
        struct, _, field = name.partition(".")
        if kind == "field" and field == "reserved" and (kind, name) not in now:
            there = [new for (kind, new), there in now.items()
                     if kind == "field" and new.startswith(struct + ".") and there == rest]
            named.update({name: new for new in there if ("field", new) not in before})
    return named


def compare(before, now):
    """What is more than an addition, in words."""
    faults = []
    named = named_reserves(before, now)
    size = lambda rows, name: int(rows["struct", name].split()[1])
    for (kind, name), rest in before.items():
        there = now.get((kind, named.get(name, name)))
        if there is None:
            faults.append(f"{kind} {name} is gone (it was: {rest})")
        elif kind == "struct":
            old, new = size(before, name), size(now, name)
            if new < old:
                faults.append(f"struct {name} shrank from {old} to {new} bytes")
            elif new > old and not may_grow(name, before):
                faults.append(f"struct {name} grew from {old} to {new} bytes, and has no struct_size and no stride:"
                              " it is frozen, a change is a new id")
        elif name == "METER_ABI_MINOR" or name == "METER_ABI":
            if int(there) < int(rest):
                faults.append(f"constant {name} fell from {rest} to {there}")
        elif there != rest:
            faults.append(f"{kind} {name} was: {rest}; is: {there}")
    for (kind, name), rest in now.items():
        if kind != "field" or (kind, name) in before or name in named.values():
            continue
        struct = name.split(".")[0]
        if ("struct", struct) not in before:
            continue
        offset = int(rest.split()[1])
        if offset < size(before, struct):
            faults.append(f"field {name} was put at {offset}, within the {size(before, struct)} bytes that adapters know:"
                          " append it at the end")
    return faults


def main(words):
    if len(words) == 2 and words[0] == "table":
        print("\n".join(table(words[1])))
        return 0
    if len(words) == 3 and words[0] == "compare":
        faults = compare(parse(Path(words[1]).read_text().splitlines()), parse(table(words[2])))
        for fault in faults:
            print(fault)
        return 1 if faults else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
