"""libpq through ctypes: psycopg2 reads results only as text, and the checks want binary as well."""
import ctypes
import ctypes.util

_lib = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
_lib.PQconnectdb.restype = ctypes.c_void_p
_lib.PQerrorMessage.restype = ctypes.c_char_p
_lib.PQexecParams.restype = ctypes.c_void_p
_lib.PQgetvalue.restype = ctypes.c_void_p
_lib.PQresultErrorField.restype = ctypes.c_char_p
_lib.PQresultErrorMessage.restype = ctypes.c_char_p
for _name in ("PQfinish", "PQstatus", "PQerrorMessage", "PQclear", "PQresultStatus", "PQntuples",
              "PQnfields", "PQresultErrorMessage"):
    getattr(_lib, _name).argtypes = [ctypes.c_void_p]
for _name in ("PQgetvalue", "PQgetlength", "PQgetisnull"):
    getattr(_lib, _name).argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
_lib.PQftype.argtypes = [ctypes.c_void_p, ctypes.c_int]
_lib.PQftype.restype = ctypes.c_uint
_lib.PQfformat.argtypes = [ctypes.c_void_p, ctypes.c_int]
_lib.PQresultErrorField.argtypes = [ctypes.c_void_p, ctypes.c_int]
_lib.PQexecParams.argtypes = [
    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_uint),
    ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int),
    ctypes.c_int]

TEXT, BINARY = 0, 1
INT4, TEXT_OID, DATE, TIMESTAMPTZ, NUMERIC = 23, 25, 1082, 1184, 1700


class SqlError(Exception):
    def __init__(self, state, message):
        super().__init__(message)
        self.state = state


class Connection:
    def __init__(self, conninfo):
        self.handle = _lib.PQconnectdb(conninfo.encode())
        if _lib.PQstatus(self.handle) != 0:
            message = _lib.PQerrorMessage(self.handle).decode(errors="replace")
            self.close()
            raise SqlError("08006", message)

    def close(self):
        if self.handle:
            _lib.PQfinish(self.handle)
        self.handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def query(self, sql, params=(), result_format=TEXT):
        """Rows as lists of bytes or None. A parameter is None, text, or (type oid, binary bytes)."""
        count = len(params)
        types = (ctypes.c_uint * count)()
        values = (ctypes.c_char_p * count)()
        lengths = (ctypes.c_int * count)()
        formats = (ctypes.c_int * count)()
        kept = []
        for i, value in enumerate(params):
            if isinstance(value, tuple):
                types[i], data = value
                buffer = ctypes.create_string_buffer(data, len(data))
                kept.append(buffer)  # alive until the call is over
                values[i] = ctypes.cast(buffer, ctypes.c_char_p)
                lengths[i], formats[i] = len(data), BINARY
            elif value is not None:
                values[i] = str(value).encode()
        result = _lib.PQexecParams(self.handle, sql.encode(), count, types, values, lengths, formats,
                                   result_format)
        try:
            if _lib.PQresultStatus(result) not in (0, 1, 2):  # not EMPTY, COMMAND_OK, TUPLES_OK
                state = (_lib.PQresultErrorField(result, ord("C")) or b"08006").decode()
                text = _lib.PQresultErrorMessage(result) or _lib.PQerrorMessage(self.handle)
                raise SqlError(state, text.decode(errors="replace"))
            return [[self._value(result, row, column) for column in range(_lib.PQnfields(result))]
                    for row in range(_lib.PQntuples(result))]
        finally:
            _lib.PQclear(result)

    @staticmethod
    def _value(result, row, column):
        if _lib.PQgetisnull(result, row, column):
            return None
        return ctypes.string_at(_lib.PQgetvalue(result, row, column),
                                _lib.PQgetlength(result, row, column))
