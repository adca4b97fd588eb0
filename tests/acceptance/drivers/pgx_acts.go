// pgx: binary wherever it can, statements described and kept, batches, CopyFrom; and lib/pq.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/lib/pq"
)

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func code(err error) string {
	var a *pgconn.PgError
	var b *pq.Error
	if errors.As(err, &a) {
		return a.Code + " " + a.ConstraintName
	}
	if errors.As(err, &b) {
		return string(b.Code) + " " + b.Constraint
	}
	return fmt.Sprint(err)
}

func rows(r pgx.Rows, err error) {
	must(err)
	for r.Next() {
		v, err := r.Values()
		must(err)
		fmt.Println(v...)
	}
	must(r.Err())
}

func withPgx(schema string, simple bool) {
	x := context.Background()
	config, err := pgx.ParseConfig("")
	must(err)
	config.PreferSimpleProtocol = simple
	c, err := pgx.ConnectConfig(x, config)
	must(err)
	defer c.Close(x)
	_, err = c.Exec(x, schema)
	must(err)
	var id int
	must(c.QueryRow(x, `INSERT INTO customer (name, email, birth, amount, points, big, score, vip, notes, tags, seen, photo)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12) RETURNING id`, "Ada Löwe", "ada@example.org",
		time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC), "12.50", -7, int64(1)<<62, 0.1, true, `{"a": [1, null]}`, []string{"x", "q\""},
		time.Date(2024, 2, 29, 12, 0, 1, 5000, time.UTC), []byte{0, 255, 39}).Scan(&id))
	fmt.Println(id)
	batch := &pgx.Batch{}
	for i := 0; i < 20; i++ {
		batch.Queue("INSERT INTO customer (name, email, points) VALUES ($1, $2, $3)", fmt.Sprint("n", i), fmt.Sprint("n", i, "@x"), i)
	}
	batch.Queue("SELECT name, email FROM customer WHERE name = $1", "n7")
	results := c.SendBatch(x, batch)
	for i := 0; i < 20; i++ {
		tag, err := results.Exec()
		must(err)
		fmt.Print(tag, ";")
	}
	rows(results.Query())
	must(results.Close())
	rows(c.Query(x, "SELECT id, name, email, points, big, score, vip, tags, seen, photo FROM customer ORDER BY id LIMIT 3"))
	for _, n := range []string{"Ada Löwe", "n3", "nobody"} {
		rows(c.Query(x, "SELECT id, name, vip, birth FROM customer WHERE name = $1", n))
	}
	rows(c.Query(x, "SELECT id FROM customer WHERE name = ANY($1) ORDER BY id", []string{"n1", "n2"}))
	tag, err := c.Exec(x, "UPDATE customer SET email = $1, score = $2 WHERE name = $3", "u@x", 1.5, "n9")
	must(err)
	fmt.Println(tag)
	n, err := c.CopyFrom(x, pgx.Identifier{"customer"}, []string{"name", "email", "points", "birth"},
		pgx.CopyFromRows([][]interface{}{{"c1", "c1@y", int32(1), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}, {"c2", nil, nil, nil}}))
	must(err)
	fmt.Println(n)
	rows(c.Query(x, "SELECT name, email, points, birth FROM customer WHERE name IN ($1, $2) ORDER BY id", "c1", "c2"))
	t, err := c.Begin(x)
	must(err)
	s, err := t.Begin(x)
	must(err)
	_, err = s.Exec(x, "DELETE FROM customer WHERE name = $1", "n3")
	must(err)
	must(s.Rollback(x))
	must(t.Commit(x))
	for _, v := range [][]interface{}{{"a", "ada@example.org"}, {nil, "z"}} {
		_, err = c.Exec(x, "INSERT INTO customer (name, email) VALUES ($1, $2)", v...)
		fmt.Println(code(err))
	}
	_, err = c.Exec(x, "DROP TABLE line_item, customer")
	must(err)
}

func withPq(schema string) {
	db, err := sql.Open("postgres", "")
	must(err)
	defer db.Close()
	_, err = db.Exec(schema)
	must(err)
	add, err := db.Prepare("INSERT INTO customer (name, email, birth, amount, vip, tags, photo) VALUES ($1,$2,$3,$4,$5,$6,$7) RETURNING id")
	must(err)
	var id int
	must(add.QueryRow("Ada Löwe", "ada@example.org", "1815-12-10", 12.5, true, pq.Array([]string{"x", "y"}), []byte{0, 255}).Scan(&id))
	must(add.QueryRow("n1", nil, nil, nil, nil, nil, nil).Scan(&id))
	var name string
	var birth time.Time
	var amount float64
	var photo []byte
	must(db.QueryRow("SELECT name, birth, amount, photo FROM customer WHERE name = $1 AND email = $2", "Ada Löwe", "ada@example.org").Scan(&name, &birth, &amount, &photo))
	fmt.Println(name, birth, amount, photo)
	t, err := db.Begin()
	must(err)
	in, err := t.Prepare(pq.CopyIn("customer", "name", "points"))
	must(err)
	for i := 0; i < 5; i++ {
		_, err = in.Exec(fmt.Sprint("c", i), i)
		must(err)
	}
	_, err = in.Exec()
	must(err)
	must(in.Close())
	must(t.Commit())
	var count int
	must(db.QueryRow("SELECT count(*) FROM customer WHERE name = ANY($1)", pq.Array([]string{"c1", "c2", "n1"})).Scan(&count))
	fmt.Println(count)
	_, err = db.Exec("INSERT INTO customer (name, email) VALUES ($1, $2)", "a", "ada@example.org")
	fmt.Println(code(err))
	add.Close()
	_, err = db.Exec("DROP TABLE line_item, customer")
	must(err)
}

func main() {
	schema, err := os.ReadFile(os.Args[1])
	must(err)
	os.Setenv("PGSSLMODE", "disable")
	withPgx(string(schema), false)
	withPgx(string(schema), true)
	withPq(string(schema))
}
