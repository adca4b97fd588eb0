"""One session of libpq, and all that the server answers in it: columns with types and origin, rows, command
tags, COPY data, SQLSTATEs. Two sessions that got the same cannot be told apart by a program.
"""
import collections
import ctypes

import libpq
from libpq import BINARY, TEXT, SqlError, _lib

_P, _I, _S = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
for _name, _result, _arguments in (
        ("PQsendQuery", _I, [_P, _S]),
        ("PQsendQueryParams", _I, [_P, _S, _I, _P, ctypes.POINTER(_S), _P, _P, _I]),
        ("PQsendPrepare", _I, [_P, _S, _S, _I, _P]),
        ("PQsendDescribePrepared", _I, [_P, _S]),
        ("PQsendQueryPrepared", _I, [_P, _S, _I, ctypes.POINTER(_S), _P, _P, _I]),
        ("PQgetResult", _P, [_P]),
        ("PQcmdStatus", _S, [_P]),
        ("PQfname", _S, [_P, _I]),
        ("PQfmod", _I, [_P, _I]),
        ("PQftable", ctypes.c_uint, [_P, _I]),
        ("PQftablecol", _I, [_P, _I]),
        ("PQnparams", _I, [_P]),
        ("PQparamtype", ctypes.c_uint, [_P, _I]),
        ("PQtransactionStatus", _I, [_P]),
        ("PQputCopyData", _I, [_P, _S, _I]),
        ("PQputCopyEnd", _I, [_P, _S]),
        ("PQgetCopyData", _I, [_P, ctypes.POINTER(_P), _I]),
        ("PQfreemem", None, [_P]),
        ("PQsetNoticeProcessor", _P, [_P, _P, _P])):
    getattr(_lib, _name).restype = _result
    getattr(_lib, _name).argtypes = _arguments

COMMAND_OK, TUPLES_OK, COPY_OUT, COPY_IN, NONFATAL, FATAL = 1, 2, 3, 4, 6, 7
IN_TRANSACTION = 2  # PQTRANS_INTRANS

Column = collections.namedtuple("Column", "name type modifier table number format")
# kind: rows, command, copied, parameters or error; `text` is what a person reads of an error.
Answer = collections.namedtuple("Answer", "kind tag columns rows text", defaults=("", (), (), ""))

_quiet = ctypes.CFUNCTYPE(None, _P, _S)(lambda _context, _message: None)


class Client(libpq.Connection):
    """Every call gives the list of Answers up to the end of the statement."""

    def __init__(self, conninfo):
        super().__init__(conninfo)
        _lib.PQsetNoticeProcessor(self.handle, ctypes.cast(_quiet, _P), None)

    def simple(self, sql, data=b""):
        """Simple Query; `data` is what a COPY FROM STDIN in it takes."""
        return self._answers(_lib.PQsendQuery(self.handle, sql.encode()), data)

    def extended(self, sql, values, form=TEXT):
        """Parse, Bind, Describe, Execute, Sync; no types are named, as most drivers do."""
        sent = _lib.PQsendQueryParams(self.handle, sql.encode(), len(values), None, _texts(values), None,
                                      None, form)
        return self._answers(sent)

    def prepare(self, name, sql):
        prepared = self._answers(_lib.PQsendPrepare(self.handle, name.encode(), sql.encode(), 0, None))
        return prepared + self._answers(_lib.PQsendDescribePrepared(self.handle, name.encode()))

    def execute(self, name, values, form=TEXT):
        return self._answers(_lib.PQsendQueryPrepared(
            self.handle, name.encode(), len(values), _texts(values), None, None, form))

    def in_transaction(self):
        return _lib.PQtransactionStatus(self.handle) == IN_TRANSACTION

    def _answers(self, sent, data=b""):
        if not sent:
            raise SqlError("08006", _lib.PQerrorMessage(self.handle).decode(errors="replace"))
        answers = []
        while result := _lib.PQgetResult(self.handle):
            try:
                answers.append(self._answer(result, data))
            finally:
                _lib.PQclear(result)
        return answers

    def _answer(self, result, data):
        status = _lib.PQresultStatus(result)
        if status in (NONFATAL, FATAL):
            state = (_lib.PQresultErrorField(result, ord("C")) or b"08006").decode()
            text = _lib.PQresultErrorMessage(result).decode(errors="replace")
            return Answer("error", state, text=text)
        if status == COPY_OUT:
            return Answer("copied", rows=tuple(self._copied()))
        if status == COPY_IN:
            _lib.PQputCopyData(self.handle, data, len(data))
            _lib.PQputCopyEnd(self.handle, None)
            return Answer("command", "COPY IN")
        columns = tuple(_column(result, i) for i in range(_lib.PQnfields(result)))
        tag = _lib.PQcmdStatus(result).decode()
        if status == TUPLES_OK:
            rows = tuple(tuple(self._value(result, row, i) for i in range(len(columns)))
                         for row in range(_lib.PQntuples(result)))
            return Answer("rows", tag, columns, rows)
        if _lib.PQnparams(result) or columns:
            types = tuple(_lib.PQparamtype(result, i) for i in range(_lib.PQnparams(result)))
            return Answer("parameters", tag, columns, types)
        return Answer("command", tag)

    def _copied(self):
        buffer = _P()
        while (length := _lib.PQgetCopyData(self.handle, ctypes.byref(buffer), 0)) > 0:
            yield ctypes.string_at(buffer, length)
            _lib.PQfreemem(buffer)


def _column(result, i):
    return Column(_lib.PQfname(result, i).decode(), _lib.PQftype(result, i), _lib.PQfmod(result, i),
                  _lib.PQftable(result, i), _lib.PQftablecol(result, i), _lib.PQfformat(result, i))


def _texts(values):
    array = (_S * max(1, len(values)))()
    for i, value in enumerate(values):
        array[i] = None if value is None else value.encode()
    return array


__all__ = ["Answer", "BINARY", "Client", "Column", "TEXT"]
