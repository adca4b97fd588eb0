// node-postgres: text results, parameters, named statements, bytea and JSON.
const { Client } = require("pg");
const fs = require("fs");
async function main() {
  const c = new Client(); await c.connect(); await c.query(fs.readFileSync(process.argv[2], "utf8"));
  const show = async (...q) => { const r = await c.query(...q); console.log(r.command, r.rowCount, JSON.stringify(r.fields.map(f => [f.name, f.dataTypeID, f.dataTypeModifier, f.columnID])), JSON.stringify(r.rows)); };
  await show("INSERT INTO customer (name, email, birth, amount, points, vip, notes, tags, seen, photo) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10) RETURNING *",
    ["Ada Löwe", "ada@example.org", "1815-12-10", "12.50", -7, true, { a: [1, null] }, ["x", null, 'q"'], new Date(Date.UTC(2024, 1, 29)), Buffer.from([0, 255, 39])]);
  for (let i = 0; i < 30; ++i) await c.query({ name: "add", text: "INSERT INTO customer (name, email, points) VALUES ($1, $2, $3)", values: ["n" + i, "n" + i + "@x", i] });
  await show("SELECT * FROM customer ORDER BY id LIMIT 3");
  for (const n of ["Ada Löwe", "n3", "nobody"]) await show({ name: "by", text: "SELECT id, amount, photo FROM customer WHERE name = $1", values: [n] });
  await show("SELECT id FROM customer WHERE name = ANY($1) ORDER BY id", [["n1", "n2"]]);
  await show("UPDATE customer SET email = $1 WHERE name = $2 RETURNING id, email", ["u@x", "n9"]);
  await show("BEGIN"); await show("DELETE FROM customer WHERE name = $1", ["n4"]); await show("ROLLBACK");
  await show({ text: "SELECT name, email FROM customer WHERE points < 5 ORDER BY id", rowMode: "array" });
  for (const [q, v] of [["INSERT INTO customer (name, email) VALUES ($1, $2)", ["a", "ada@example.org"]], ["INSERT INTO customer (name) VALUES ($1)", [null]], ["INSERT INTO customer (name, birth) VALUES ($1, $2)", ["x", "never"]], ["SELECT nam FROM customer WHERE name = $1", ["x"]]])
    await c.query(q, v).then(() => console.log("no error"), e => console.log(e.code, e.constraint, e.column));
  await show("DROP TABLE line_item, customer"); await c.end();
}
main().catch(e => { console.log(String(e), e.code); process.exit(1); });
