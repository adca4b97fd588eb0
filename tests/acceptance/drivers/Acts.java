// pgjdbc: batches, the switch to prepared and binary after five executions, DatabaseMetaData, COPY.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.*;
import java.util.*;

public class Acts {
  static void show(ResultSet rows, String... hidden) throws Exception {
    ResultSetMetaData about = rows.getMetaData();
    while (rows.next()) {
      StringJoiner line = new StringJoiner("|");
      for (int i = 1; i <= about.getColumnCount(); ++i) {
        if (Arrays.asList(hidden).contains(about.getColumnName(i))) continue;
        Object value = rows.getObject(i);
        if (value instanceof byte[]) value = HexFormat.of().formatHex((byte[]) value);
        if (value instanceof java.sql.Array) value = Arrays.toString((Object[]) ((java.sql.Array) value).getArray());
        line.add(String.valueOf(value));
      }
      System.out.println(line);
    }
    rows.close();
  }

  static void failing(Connection c, String sql, Object... values) throws Exception {
    Savepoint before = c.setSavepoint();
    try (PreparedStatement s = c.prepareStatement(sql)) {
      for (int i = 0; i < values.length; ++i) s.setObject(i + 1, values[i]);
      s.executeUpdate();
      System.out.println("no error");
    } catch (SQLException e) {
      System.out.println(e.getSQLState() + " " + (e instanceof org.postgresql.util.PSQLException p && p.getServerErrorMessage() != null
          ? p.getServerErrorMessage().getConstraint() : ""));
    }
    c.rollback(before);
  }

  static void acts(Connection c, String schema, boolean simple) throws Exception {
    c.setAutoCommit(false);
    try (Statement s = c.createStatement()) { s.execute(schema); }
    c.commit();
    try (PreparedStatement s = c.prepareStatement("INSERT INTO customer (name, email, birth, amount, points, big, score, vip, notes, tags, ref,"
        + " seen, made, photo, plain) VALUES (?,?,?,?,?,?,?,?,?::jsonb,?,?,?,?,?,?)", Statement.RETURN_GENERATED_KEYS)) {
      s.setString(1, "Ada Löwe"); s.setString(2, "ada@example.org"); s.setDate(3, java.sql.Date.valueOf("1815-12-10"));
      s.setBigDecimal(4, new BigDecimal("12.50")); s.setInt(5, -7); s.setLong(6, 1L << 62); s.setDouble(7, 0.1); s.setBoolean(8, true);
      s.setString(9, "{\"a\": [1, null]}"); s.setArray(10, c.createArrayOf("text", new String[] {"x", null, "q\""}));
      s.setObject(11, UUID.fromString("00000010-0000-0000-0000-000000000001"));
      s.setObject(12, java.time.OffsetDateTime.parse("2024-02-29T12:00:01.000005Z")); s.setTimestamp(13, Timestamp.valueOf("1999-12-31 23:59:59"));
      if (simple) s.setNull(14, Types.BINARY);  // pgjdbc cannot write bytea into a text
      else s.setBytes(14, new byte[] {0, -1, 39});
       s.setString(15, "p");
      s.executeUpdate(); show(s.getGeneratedKeys());
    }
    try (PreparedStatement s = c.prepareStatement("INSERT INTO customer (name, email, points) VALUES (?, ?, ?)")) {
      for (int i = 0; i < 40; ++i) { s.setString(1, "n" + i); s.setString(2, "n" + i + "@x"); s.setInt(3, i); s.addBatch(); }
      System.out.println(s.executeBatch().length);
    }
    c.commit();
    for (int fetch : new int[] {0, 7}) {
      try (Statement s = c.createStatement()) {
        s.setFetchSize(fetch);
        ResultSet rows = s.executeQuery("SELECT * FROM customer ORDER BY id");
        ResultSetMetaData m = rows.getMetaData();
        for (int i = 1; i <= m.getColumnCount(); ++i)
          System.out.println(m.getColumnName(i) + " " + m.getColumnTypeName(i) + " " + m.getColumnType(i) + " " + m.getPrecision(i) + " " + m.getScale(i)
              + " " + m.isNullable(i) + " " + m.isAutoIncrement(i) + " " + m.getTableName(i) + " " + m.getColumnDisplaySize(i));
        show(rows);
      }
    }
    try (PreparedStatement s = c.prepareStatement("SELECT id, name, birth, amount, vip, ref, seen, photo, tags FROM customer WHERE name = ?")) {
      if (!simple) System.out.println(s.getMetaData().getColumnCount() + " " + s.getParameterMetaData().getParameterTypeName(1));
      for (int i = 0; i < 12; ++i) { s.setString(1, i % 3 == 0 ? "Ada Löwe" : "n" + i); show(s.executeQuery()); }
    }
    try (PreparedStatement s = c.prepareStatement("SELECT id FROM customer WHERE name = ANY(?) OR points = ? ORDER BY id")) {
      for (int i = 0; i < 7; ++i) { s.setArray(1, c.createArrayOf("text", new Object[] {"n" + i, "n2"})); s.setInt(2, i); show(s.executeQuery()); }
    }
    try (PreparedStatement s = c.prepareStatement("UPDATE customer SET amount = ?, vip = ?, ref = ?, birth = ? WHERE name = ?")) {
      for (int i = 0; i < 7; ++i) {
        s.setBigDecimal(1, new BigDecimal(i).movePointLeft(2)); s.setBoolean(2, i % 2 == 0); s.setObject(3, new UUID(i, i));
        s.setObject(4, java.time.LocalDate.of(2000 + i, 1, 1)); s.setString(5, "n" + i); System.out.println(s.executeUpdate());
      }
    }
    c.rollback();
    try (PreparedStatement s = c.prepareStatement("UPDATE customer SET email = ? WHERE points = ?")) {
      s.setString(1, "u@x"); s.setInt(2, 3); s.addBatch(); s.setNull(1, Types.VARCHAR); s.setInt(2, 4); s.addBatch();
      System.out.println(Arrays.toString(s.executeBatch()));
    }
    c.commit();
    failing(c, "INSERT INTO customer (name, email) VALUES (?, ?)", "a", "ada@example.org");
    failing(c, "INSERT INTO customer (name) VALUES (?)", new Object[] {null});
    failing(c, "INSERT INTO customer (name, email) VALUES (?, ?)", "a", "x".repeat(81));
    failing(c, "INSERT INTO line_item (customer_id) VALUES (?)", 4711);
    try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
      ResultSet rows = s.executeQuery("SELECT id, name, email FROM customer WHERE name = 'n5'");
      rows.next(); rows.updateString("name", "updated"); rows.updateRow(); rows.refreshRow(); System.out.println(rows.getString("name"));
      rows.moveToInsertRow(); rows.updateString("name", "inserted"); rows.updateString("email", "i@x"); rows.insertRow();
      rows.moveToCurrentRow(); rows.deleteRow();
    }
    c.commit();
    try (Statement s = c.createStatement()) { show(s.executeQuery("SELECT name FROM customer WHERE name IN ('n5', 'updated', 'inserted')")); }
    var copy = c.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
    System.out.println(copy.copyIn("COPY customer (name, email) FROM STDIN (FORMAT csv, HEADER)", new StringReader("name,email\nc1,c1@y\n\"c,2\",\n")));
    StringWriter out = new StringWriter();
    copy.copyOut("COPY (SELECT name, email FROM customer WHERE points IS NULL ORDER BY id) TO STDOUT (FORMAT csv)", out);
    System.out.print(out);
    c.commit();
    DatabaseMetaData m = c.getMetaData();
    show(m.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}));
    show(m.getColumns(null, "public", "%", "%"));
    show(m.getPrimaryKeys(null, "public", "customer"));
    show(m.getImportedKeys(null, "public", "line_item"));
    show(m.getExportedKeys(null, "public", "customer"));
    show(m.getIndexInfo(null, "public", "customer", false, true), "PAGES", "CARDINALITY");
    show(m.getColumnPrivileges(null, "public", "customer", "%"));
    show(m.getTablePrivileges(null, "public", "customer"));
    show(m.getBestRowIdentifier(null, "public", "customer", DatabaseMetaData.bestRowSession, true));
    try (PreparedStatement s = c.prepareStatement("DELETE FROM customer WHERE name = ?")) { s.setString(1, "Ada Löwe"); System.out.println(s.executeUpdate()); }
    try (Statement s = c.createStatement()) { s.execute("DROP TABLE line_item, customer"); }
    c.commit();
  }

  public static void main(String[] arguments) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    String schema = Files.readString(Path.of(arguments[0]));
    for (String options : new String[] {"", "&preferQueryMode=simple", "&preferQueryMode=extendedForPrepared&prepareThreshold=1",
        "&prepareThreshold=2", "&reWriteBatchedInserts=true", "&autosave=always&stringtype=unspecified"}) {
      System.out.println("== " + options);
      try (Connection c = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE")
          + "?user=" + System.getenv("PGUSER") + "&password=" + System.getenv("PGPASSWORD") + options)) {
        acts(c, schema, options.contains("simple"));
      }
    }
  }
}
