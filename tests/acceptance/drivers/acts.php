<?php // PDO, with and without prepared statements of the server, and the pgsql functions.
foreach ([true, false] as $emulate) {
  $c = new PDO("pgsql:dbname=" . getenv("PGDATABASE"), null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulate]);
  $c->exec("SET client_min_messages = warning"); $c->exec(file_get_contents($argv[1]));
  $add = $c->prepare("INSERT INTO customer (name, email, birth, amount, points, vip, notes, photo) VALUES (:n, :e, :b, :a, :p, :v, :j, :f) RETURNING id");
  $add->bindValue("n", "Ada Löwe"); $add->bindValue("e", "ada@example.org"); $add->bindValue("b", "1815-12-10"); $add->bindValue("a", "12.50");
  $add->bindValue("p", -7, PDO::PARAM_INT); $add->bindValue("v", true, PDO::PARAM_BOOL); $add->bindValue("j", '{"a": [1, null]}'); $add->bindValue("f", "\x00\xff'", PDO::PARAM_LOB);
  $add->execute(); var_dump($add->fetchAll(PDO::FETCH_ASSOC));
  for ($i = 1; $i <= 20; $i++) $c->prepare("INSERT INTO customer (name, email, points) VALUES (?, ?, ?)")->execute(["n$i", "n$i@x", $i]);
  var_dump($c->lastInsertId("customer_id_seq"));
  $q = $c->query("SELECT id, name, email, birth, amount, points, vip, notes FROM customer ORDER BY id LIMIT 3"); var_dump($q->fetchAll(PDO::FETCH_ASSOC));
  for ($i = 0; $i < 3; $i++) { $m = $q->getColumnMeta($i); unset($m["pgsql:table_oid"]); var_dump($m); }
  $by = $c->prepare("SELECT id, amount, photo FROM customer WHERE name = ?");
  foreach (["Ada Löwe", "n3", "nobody"] as $n) { $by->execute([$n]); foreach ($by->fetchAll(PDO::FETCH_NUM) as $r) { $r[2] = $r[2] === null ? null : bin2hex(stream_get_contents($r[2])); var_dump($r); } }
  $u = $c->prepare("UPDATE customer SET email = ? WHERE name = ?"); $u->execute(["u@x", "n9"]); var_dump($u->rowCount());
  $c->beginTransaction(); $c->exec("DELETE FROM customer WHERE name = 'n3'"); $c->rollBack();
  foreach ([["INSERT INTO customer (name, email) VALUES (?, ?)", ["a", "ada@example.org"]], ["INSERT INTO customer (name) VALUES (?)", [null]], ["INSERT INTO customer (name, birth) VALUES (?, ?)", ["x", "never"]]] as [$sql, $v]) {
    try { $c->prepare($sql)->execute($v); echo "no error\n"; } catch (PDOException $e) { var_dump($e->getCode()); } }
  $c->pgsqlCopyFromArray("customer", ["c1\tc1@y", "c2\t\\N"], "\t", "\\\\N", "name,email"); var_dump($c->pgsqlCopyToArray("line_item"));
  $c->exec("DROP TABLE line_item, customer"); $c = null; $q = null; $by = null; $add = null; $u = null;
}
$c = pg_connect("dbname=" . getenv("PGDATABASE")); pg_query($c, "SET client_min_messages = warning"); pg_query($c, file_get_contents($argv[1]));
var_dump(pg_fetch_all(pg_query_params($c, "INSERT INTO customer (name, email) VALUES ($1, $2) RETURNING id, name", ["Ada", "a@x"])));
var_dump(pg_insert($c, "customer", ["name" => "Bea", "email" => "b@x"]) !== false, pg_select($c, "customer", ["name" => "Bea"]), pg_update($c, "customer", ["email" => "bb@x"], ["name" => "Bea"]), pg_meta_data($c, "customer"));
var_dump(pg_delete($c, "customer", ["name" => "Bea"])); pg_query($c, "DROP TABLE line_item, customer");
