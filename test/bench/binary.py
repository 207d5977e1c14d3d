"""Rows in COPY's binary format."""

import io
import struct

import numpy

# Rows made at a time, so that many of them take no more memory than they do themselves.
PART = 10000

# What a file for COPY begins and ends with.
HEADER = b'PGCOPY\n\xff\r\n\0' + struct.pack('>ii', 0, 0)
TRAILER = struct.pack('>h', -1)


def fields_of(kind, values):
    """The fields of one column of a row, and what to set them to."""
    if kind == 'vector':
        dims = values.shape[1]
        return ([('bytes', '>i4'), ('dims', '>i2'), ('unused', '>i2'),
                 ('x', '>f4', (dims,))],
                {'bytes': 4 + 4 * dims, 'dims': dims, 'x': values})
    if kind == 'real[]':
        dims = values.shape[1]
        element = numpy.dtype([('bytes', '>i4'), ('x', '>f4')])
        elements = numpy.zeros(values.shape, element)
        elements['bytes'], elements['x'] = 4, values
        return ([('bytes', '>i4'), ('ndim', '>i4'), ('nulls', '>i4'),
                 ('type', '>i4'), ('dims', '>i4'), ('lower', '>i4'),
                 ('elements', element, (dims,))],
                {'bytes': 20 + 8 * dims, 'ndim': 1, 'type': 700, 'dims': dims,
                 'lower': 1, 'elements': elements})
    number = {'int': '>i4', 'float8': '>f8'}[kind]
    return ([('bytes', '>i4'), ('value', number)],
            {'bytes': int(number[-1]), 'value': values})


def some_rows(columns):
    """The rows of columns, each a pair of a type and an array of values."""
    fields, contents = [('fields', '>i2')], {'fields': len(columns)}
    for i, (kind, values) in enumerate(columns):
        column, parts = fields_of(kind, values)
        fields += [(f'{field[0]}_{i}', *field[1:]) for field in column]
        contents |= {f'{name}_{i}': value for name, value in parts.items()}
    rows = numpy.zeros(len(columns[0][1]), fields)
    for name, value in contents.items():
        rows[name] = value
    return rows.tobytes()


def copy_file(columns):
    """A file for COPY of these columns: pairs of a type and an array."""
    parts = [HEADER]
    for start in range(0, len(columns[0][1]), PART):
        parts.append(some_rows([(kind, values[start:start + PART])
                                for kind, values in columns]))
    return io.BytesIO(b''.join(parts) + TRAILER)
