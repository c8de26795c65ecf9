#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds what is written about opcodes against opcodes.def.

opcodes.py check ROOT   fails, and shows the difference, where a text is out of date
opcodes.py write ROOT   brings the texts up to date
"""
import difflib
import pathlib
import re
import sys

COLUMNS = {
    'VYRE_OPCODE': 'NAME name a b c least TARGET TYPE words usage effect',
    'VYRE_HOST_OPCODE': 'NAME name a b c least TARGET TYPE words usage effect',
    'VYRE_PAYLOAD_OPCODE': 'NAME name b TYPE words SHAPE cost deep usage effect',
    'VYRE_SAMPLE_OPCODE': 'NAME name b TYPE words cost BYTES usage effect',
    'VYRE_EXTRA_OPCODE': 'NAME name EXTRA a b TYPE words SHAPE cost deep usage effect',
    'VYRE_PICTURE_OPCODE': 'NAME name b c TYPE words CUT cost usage effect',
}
ROW = re.compile(r'#define VYRE_OP_(\w+) (\w+)\n(VYRE_\w+) \(((?:[^()"]|"[^"]*")*)\)\n')


def read_rows(text):
    """The rows as dictionaries of their columns, with the number and the kind."""
    rows = []
    for name, number, kind, columns in ROW.findall(text):
        cells = [part.strip() for part in re.findall(r'(?:[^,"]|"[^"]*")+', columns)]
        row = dict(zip(COLUMNS[kind].split(), cells, strict=True))
        if row['NAME'] != name:
            sys.exit(f'opcodes.def: VYRE_OP_{name} stands above the row of {row["NAME"]}.')
        for column in ('usage', 'effect'):
            row[column] = row[column].strip('"')
        if kind == 'VYRE_PAYLOAD_OPCODE':
            row.update(a='REGION')
        if kind in ('VYRE_PAYLOAD_OPCODE', 'VYRE_EXTRA_OPCODE'):
            row.update(c='NONE', least='1', TARGET='PAYLOAD')
        if kind == 'VYRE_SAMPLE_OPCODE':
            row.update(a='COMPONENT', c='NONE', least='1', TARGET='PAYLOAD')
        if kind == 'VYRE_PICTURE_OPCODE':
            row.update(a='COMPONENT', least='1', TARGET='PAYLOAD')
        rows.append(row | {'number': number.rstrip('u'), 'kind': kind})
    if len(rows) != text.count('#define VYRE_OP_'):
        sys.exit('opcodes.def: a row is not the definition of its number and a VYRE_… (…).')
    return rows


def operands(row):
    return [row[column] for column in 'abc' if row[column] != 'NONE']


def arguments(row):
    """The argument words of the slot, as far as they are not simply the operands."""
    if row['TARGET'] == 'PAYLOAD':
        samples = ', how samples lie' if row['a'] in ('COMPONENT', 'CHANNEL') else ''
        if row['b'] == 'CHROMA':
            return ('offset, width, rows, stride, observable index, how samples lie, offsets of u and v, '
                    'how their samples lie, their stride, shifts')
        behind = [row[column].lower() for column in 'cb' if row[column] != 'NONE']
        if row['b'] != 'OTHER':
            behind.reverse()
        elif row['c'] == 'NONE':
            behind.insert(0, '0')
        return ', '.join(['offset, width, rows, stride, observable index' + samples, *behind]).replace(
            ', other', ', the other component')
    if row['a'] == 'BLOCK':
        return 'see below'
    results = {'WORD': '; a result by its control word', 'INDEX': '; a result by its index',
               'WORDS': ', observable index'}
    return 'as written' + results.get(row['TARGET'], '') if operands(row) else ''


def language_table(rows):
    yield '| Statement | Effect | Arguments |'
    yield '|---|---|---|'
    for row in rows:
        statements = row['usage'].replace('|', '\\|').split("' or '")
        effect = row['effect']
        if row.get('SHAPE') == 'LINEAR' and row['a'] == 'REGION':
            effect += '; the region has no padding'
        yield '| {} | {} | {} |'.format(
            ' or '.join(f'`{text}`' for text in statements), effect, arguments(row))
    yield '| `op number, a, b, …` | any opcode with any arguments | as written |'


def number_table(rows):
    kinds = {'VYRE_OPCODE': 'one lane', 'VYRE_HOST_OPCODE': 'one lane, may wait for the host',
             'VYRE_PAYLOAD_OPCODE': 'workgroups, over a region of the payload',
             'VYRE_SAMPLE_OPCODE': 'workgroups, over the samples of a component',
             'VYRE_PICTURE_OPCODE': 'workgroups, over components of a picture',
             'REGION': 'workgroups, over a region of the payload',
             'CHANNEL': 'workgroups, over a channel of audio'}
    yield '| Opcode | Number | Run by |'
    yield '|---|---|---|'
    for row in sorted(rows, key=lambda row: int(row['number'], 16 if 'x' in row['number'] else 10)):
        yield f'| {row["NAME"]} | {row["number"]} | {kinds.get(row["kind"]) or kinds[row["a"]]} |'


def dictionary(rows):
    for row in rows:
        tail = ' { ' if row['a'] == 'BLOCK' else ' ' if row['least'] != '0' else ''
        yield f'"{row["name"]}{tail}"'


TEXTS = [
    ('docs/program-language.md', '<!-- opcodes.def: {} -->', language_table),
    ('docs/abi.md', '<!-- opcodes.def: {} -->', number_table),
    ('tests/fuzz/program.dict', '# opcodes.def: {}', dictionary),
]


def renew(path, text, marker, lines):
    """@text with @lines between its two markers."""
    begin, end = marker.format('begin'), marker.format('end')
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f'{path}: needs one line "{begin}" and one line "{end}".')
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    return head + '\n'.join([begin, *lines, end]) + tail


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ('check', 'write'):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[2])
    rows = read_rows((root / 'shaders/opcodes.def').read_text(encoding='utf-8'))
    stale = False
    for name, marker, make in TEXTS:
        path = root / name
        text = path.read_text(encoding='utf-8')
        wanted = renew(name, text, marker, make(rows))
        if sys.argv[1] == 'write':
            path.write_text(wanted, encoding='utf-8')
        elif wanted != text:
            stale = True
            sys.stdout.writelines(difflib.unified_diff(text.splitlines(True),
                wanted.splitlines(True), name, f'{name}, by opcodes.def'))
    if stale:
        sys.exit('Fix: run shaders/opcodes.py write .')


main()
