# DBD::Pg: parameters bound by the server, COPY, catalogue methods.
use strict; use warnings; use DBI; use DBD::Pg qw(:pg_types); binmode(STDOUT, ":utf8"); use utf8;
my $c = DBI->connect("dbi:Pg:dbname=$ENV{PGDATABASE}", undef, undef, {AutoCommit => 1, RaiseError => 1, PrintError => 0, PrintWarn => 0});
open(my $f, "<", $ARGV[0]) or die; local $/; $c->do("SET client_min_messages = warning"); $c->do(<$f>);
my $insert = $c->prepare("INSERT INTO customer (name, email, birth, amount, points, vip, notes, tags, photo) VALUES (?,?,?,?,?,?,?,?,?) RETURNING id");
$insert->bind_param(9, undef, {pg_type => PG_BYTEA});
$insert->execute("Ada Löwe", "ada\@example.org", "1815-12-10", "12.50", -7, 1, '{"a": [1, null]}', ["x", undef, "q\""], "\x00\xff'");
print $insert->fetch()->[0], "\n";
$insert->execute("n$_", "n$_\@x", undef, "1.$_", $_, 0, undef, undef, undef) for 1 .. 30;
sub show { for my $r (@{$_[0]}) { print join("|", map { !defined $_ ? "NULL" : ref $_ ? "[" . join(",", map { $_ // "NULL" } @$_) . "]" : $_ } @$r), "\n"; } }
show($c->selectall_arrayref("SELECT id, name, email, birth, amount, points, vip, notes, tags, length(plain) FROM customer ORDER BY id LIMIT 3"));
my $by = $c->prepare("SELECT id, amount FROM customer WHERE name = ?");
for my $n ("Ada Löwe", "n3", "nobody", "n4") { $by->execute($n); show($by->fetchall_arrayref); }
print join(",", @{$by->{NAME}}), " ", join(",", @{$by->{pg_type}}), "\n";
show($c->selectall_arrayref("SELECT id FROM customer WHERE name = ANY(?) ORDER BY id", undef, ["n1", "n2"]));
print $c->do("UPDATE customer SET amount = ?, email = ? WHERE name = ?", undef, "5.25", "new\@x", "n5"), "\n";
$c->begin_work; $c->pg_savepoint("s"); $c->do("DELETE FROM customer WHERE name = 'n6'"); $c->pg_rollback_to("s"); $c->commit;
print $c->selectrow_array("SELECT count(*) FROM customer WHERE name = 'n6'"), "\n";
for my $bad (["INSERT INTO customer (name, email) VALUES (?, ?)", "a", "ada\@example.org"], ["INSERT INTO customer (name) VALUES (?)", undef], ["INSERT INTO customer (name, birth) VALUES (?, ?)", "x", "2001-02-30"]) {
  my ($sql, @values) = @$bad; eval { $c->do($sql, undef, @values); }; print $c->state, "\n"; }
$c->do("COPY customer (name, email) FROM STDIN"); $c->pg_putcopydata("c$_\tc$_\@y\n") for 1 .. 5; $c->pg_putcopyend();
$c->do("COPY (SELECT name, email FROM customer WHERE id > 33 ORDER BY id) TO STDOUT"); my $l; print $l while $c->pg_getcopydata($l) >= 0;
my $columns = $c->column_info(undef, "public", "customer", "%")->fetchall_arrayref({});
print join("|", map { $_ // "" } @{$_}{qw(COLUMN_NAME TYPE_NAME COLUMN_SIZE NULLABLE COLUMN_DEF ORDINAL_POSITION pg_type)}), "\n" for @$columns;
show([map { [@$_[2 .. 4]] } @{$c->primary_key_info(undef, "public", "customer")->fetchall_arrayref}]);
show([map { [@$_[1 .. 8]] } @{$c->statistics_info(undef, "public", "customer", 0, 0)->fetchall_arrayref}]);
show([map { [@$_[1, 2, 3, 6, 7]] } @{$c->foreign_key_info(undef, undef, undef, undef, "public", "line_item")->fetchall_arrayref}]);
print $c->last_insert_id(undef, "public", "customer", undef), "\n";
$c->do("DROP TABLE line_item, customer");
