// What a Java application asks of the ERP's database through JDBC: metadata, prepared statements that the driver
// names after their fifth run, batches, cursors by fetch size, keys that were generated. Prints what it saw.
import java.math.BigDecimal;
import java.sql.*;

public class JdbcSession {
  static void print(ResultSet rows) throws SQLException {
    ResultSetMetaData about = rows.getMetaData();
    StringBuilder head = new StringBuilder();
    for (int i = 1; i <= about.getColumnCount(); i++) {
      head.append(about.getColumnLabel(i)).append(':').append(about.getColumnTypeName(i)).append(':')
          .append(about.getPrecision(i)).append(',').append(about.getScale(i)).append(' ');
    }
    System.out.println(head);
    while (rows.next()) {
      StringBuilder line = new StringBuilder();
      for (int i = 1; i <= about.getColumnCount(); i++) line.append(rows.getString(i)).append('|');
      System.out.println(line);
    }
    rows.close();
  }

  static void metadata(Connection connection) throws SQLException {
    DatabaseMetaData about = connection.getMetaData();
    print(about.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}));
    for (String table : new String[] {"customers", "suppliers", "patients", "complaints", "order_lines"}) {
      ResultSet columns = about.getColumns(null, "public", table, "%");
      while (columns.next()) {
        System.out.println(columns.getString("COLUMN_NAME") + " " + columns.getString("TYPE_NAME") + " "
            + columns.getInt("COLUMN_SIZE") + " " + columns.getString("IS_NULLABLE") + " "
            + columns.getString("COLUMN_DEF") + " " + columns.getInt("ORDINAL_POSITION"));
      }
      print(about.getPrimaryKeys(null, "public", table));
      print(about.getImportedKeys(null, "public", table));
      ResultSet indexes = about.getIndexInfo(null, "public", table, false, true);
      while (indexes.next()) {
        System.out.println(indexes.getString("INDEX_NAME") + " " + indexes.getString("COLUMN_NAME"));
      }
    }
    System.out.println(about.getExportedKeys(null, "public", "customers").next());
    print(about.getSchemas());
  }

  static void reading(Connection connection) throws SQLException {
    try (PreparedStatement by = connection.prepareStatement(
             "SELECT id, name, contact_name, contact_phone, credit_limit, updated_at FROM customers WHERE id = ?")) {
      for (long id = 1; id <= 12; id++) {
        by.setLong(1, id);
        print(by.executeQuery());
      }
    }
    try (PreparedStatement by = connection.prepareStatement(
             "SELECT id, full_name, birth_date FROM patients WHERE full_name = ? ORDER BY id")) {
      for (int i = 0; i < 8; i++) {
        by.setString(1, "患者 " + i);
        print(by.executeQuery());
      }
    }
    connection.setAutoCommit(false);
    try (PreparedStatement all = connection.prepareStatement(
             "SELECT u.id, u.patient_name, c.contact_name FROM device_usage u JOIN customers c"
             + " ON c.id = u.customer_id ORDER BY u.id")) {
      all.setFetchSize(100);
      print(all.executeQuery());
    }
    connection.commit();
  }

  static void writing(Connection connection) throws SQLException {
    try (PreparedStatement add = connection.prepareStatement(
             "INSERT INTO suppliers (name, contact_name, contact_email, bank_account) VALUES (?, ?, ?, ?)",
             Statement.RETURN_GENERATED_KEYS)) {
      add.setString(1, "Example JDBC");
      add.setString(2, "Peter Potter");
      add.setString(3, null);
      add.setString(4, "EXJDBC");
      add.executeUpdate();
      ResultSet made = add.getGeneratedKeys();
      made.next();
      System.out.println(made.getString("contact_name") + " " + made.getString("bank_account"));
    }
    try (PreparedStatement price = connection.prepareStatement(
             "UPDATE supplier_prices SET unit_price = ? WHERE id = ?")) {
      for (int id = 1; id <= 30; id++) {
        price.setBigDecimal(1, new BigDecimal(id).multiply(new BigDecimal("1.2500")));
        price.setInt(2, id);
        price.addBatch();
      }
      System.out.println(price.executeBatch().length);
    }
    try (Statement plain = connection.createStatement()) {
      print(plain.executeQuery("SELECT id, unit_price FROM supplier_prices WHERE id < 32 ORDER BY id"));
    }
    try (PreparedStatement old = connection.prepareStatement("UPDATE patients SET birth_date = ? WHERE mrn = ?")) {
      old.setDate(1, Date.valueOf("1977-07-17"));
      old.setString(2, "MRN000011");
      System.out.println(old.executeUpdate());
    }
    Savepoint before = connection.setSavepoint();
    try (Statement plain = connection.createStatement()) {
      plain.executeUpdate("INSERT INTO patients (mrn) VALUES ('MRN000011')");
    } catch (SQLException error) {
      System.out.println(error.getSQLState());
      connection.rollback(before);
    }
    try (Statement plain = connection.createStatement()) {
      print(plain.executeQuery("SELECT full_name, birth_date FROM patients WHERE mrn = 'MRN000011'"));
    }
    connection.rollback();
  }

  public static void main(String[] arguments) throws SQLException {
    try (Connection connection = DriverManager.getConnection(arguments[0])) {
      metadata(connection);
      reading(connection);
      writing(connection);
    }
  }
}
