# The pg gem: parameters in text and binary, prepared statements, COPY, single-row mode.
require "pg"
c = PG.connect(dbname: ENV["PGDATABASE"])
c.set_notice_processor { |_| }
c.exec(File.read(ARGV[0]))
c.prepare("add", "INSERT INTO customer (name, email, birth, amount, points, vip, notes, tags, photo) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) RETURNING id")
p c.exec_prepared("add", ["Ada Löwe", "ada@example.org", "1815-12-10", "12.50", "-7", "t", '{"a": [1, null]}', '{x,NULL,"q\""}', {value: "\x00\xFF'".b, format: 1}]).values
(1..30).each { |i| c.exec_prepared("add", ["n#{i}", "n#{i}@x", nil, "#{i}.5", i.to_s, "f", nil, nil, nil]) }
r = c.exec("SELECT id, name, email, birth, amount, points, vip, notes, tags, photo FROM customer ORDER BY id LIMIT 3")
p r.fields, r.values, (0...r.nfields).map { |i| [r.ftype(i), r.fmod(i), r.fsize(i), r.ftablecol(i), r.fformat(i)] }
p c.exec_params("SELECT id, name, photo, amount FROM customer WHERE name = $1", ["Ada Löwe"], 1).values
%w[n3 nobody n4].each { |n| p c.exec_params("SELECT id, amount FROM customer WHERE name = $1 AND email = $2", [n, "#{n}@x"]).values }
d = c.describe_prepared("add"); p d.nparams, (0...d.nparams).map { |i| d.paramtype(i) }, d.fields
p c.exec_params("SELECT id FROM customer WHERE points = $1", [{value: [5].pack("N"), type: 23, format: 1}]).values
p c.exec_params("UPDATE customer SET email = $1 WHERE name = $2", ["u@x", "n9"]).cmd_tuples
c.transaction { |t| t.exec("SAVEPOINT s"); t.exec("DELETE FROM customer"); t.exec("ROLLBACK TO s") }
[["INSERT INTO customer (name, email) VALUES ($1, $2)", ["a", "ada@example.org"]], ["INSERT INTO customer (name) VALUES ($1)", [nil]], ["INSERT INTO customer (name, points) VALUES ($1, $2)", ["x", "many"]]].each do |sql, values|
  begin; c.exec_params(sql, values); puts "no error"; rescue PG::Error => e
    p e.class, e.result.error_field(PG::Result::PG_DIAG_SQLSTATE), e.result.error_field(PG::Result::PG_DIAG_CONSTRAINT_NAME); end
end
c.copy_data("COPY customer (name, email) FROM STDIN (FORMAT csv)") { (1..5).each { |i| c.put_copy_data("c#{i},c#{i}@y\n") } }
c.copy_data("COPY (SELECT name, email FROM customer WHERE id > 33 ORDER BY id) TO STDOUT (FORMAT csv)") { while (l = c.get_copy_data); puts l; end }
c.send_query("SELECT name FROM customer WHERE points < 6 ORDER BY id"); c.set_single_row_mode
while (r = c.get_result); r.check; r.each { |row| p row }; end
c.exec("DROP TABLE line_item, customer")
