"""The little of libpq that sends parameters of chosen type and format, through ctypes."""
import ctypes
import ctypes.util

_pq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
_pq.PQconnectdb.restype = ctypes.c_void_p
_pq.PQerrorMessage.restype = ctypes.c_char_p
_pq.PQerrorMessage.argtypes = [ctypes.c_void_p]
_pq.PQstatus.argtypes = _pq.PQfinish.argtypes = [ctypes.c_void_p]
_pq.PQexecParams.restype = ctypes.c_void_p
_pq.PQexecParams.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p,
                             ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
for name in ("PQresultStatus", "PQclear", "PQntuples", "PQnfields"):
    getattr(_pq, name).argtypes = [ctypes.c_void_p]
for name in ("PQgetvalue", "PQgetlength", "PQgetisnull"):
    getattr(_pq, name).argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
_pq.PQgetvalue.restype = ctypes.c_void_p
_pq.PQresultErrorField.restype = ctypes.c_char_p
_pq.PQresultErrorField.argtypes = [ctypes.c_void_p, ctypes.c_int]

_DONE, _TUPLES = 1, 2
_SQLSTATE, _MESSAGE = ord("C"), ord("M")


class ServerError(Exception):
    def __init__(self, sqlstate, message):
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


class Connection:
    def __init__(self, conninfo):
        self.handle = _pq.PQconnectdb(conninfo.encode())
        if _pq.PQstatus(self.handle) != 0:
            message = _pq.PQerrorMessage(self.handle).decode()
            _pq.PQfinish(self.handle)
            raise RuntimeError(message)

    def close(self):
        _pq.PQfinish(self.handle)

    def run(self, sql, value=None, oid=0, binary=False):
        """Rows of bytes (None for null); `value` is $1, of type `oid`, 0 for undeclared."""
        count = 0 if value is None else 1
        values = (ctypes.c_char_p * 1)(value or b"")
        lengths = (ctypes.c_int * 1)(len(value or b""))
        types = (ctypes.c_uint * 1)(oid)
        formats = (ctypes.c_int * 1)(1 if binary else 0)
        result = _pq.PQexecParams(self.handle, sql.encode(), count, types, values, lengths, formats,
                                  0)
        try:
            if _pq.PQresultStatus(result) not in (_DONE, _TUPLES):
                state = _pq.PQresultErrorField(result, _SQLSTATE) or b"?????"
                message = _pq.PQresultErrorField(result, _MESSAGE) or b""
                raise ServerError(state.decode(), message.decode("utf-8", "replace"))
            return [[None if _pq.PQgetisnull(result, row, column) else
                     ctypes.string_at(_pq.PQgetvalue(result, row, column),
                                      _pq.PQgetlength(result, row, column))
                     for column in range(_pq.PQnfields(result))]
                    for row in range(_pq.PQntuples(result))]
        finally:
            _pq.PQclear(result)
