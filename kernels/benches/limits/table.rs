/// Reached and possible of each case, kind by kind a table of names by instruction sets.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    kind: String,
    isa: String,
    name: String,
    /// Per second.
    reached: f64,
    /// Per second; 0 where unknown.
    limit: f64,
}

impl Table {
    pub fn add(&mut self, kind: &str, isa: &str, name: &str, reached: f64, limit: f64) {
        self.rows.push(Row {
            kind: kind.into(),
            isa: isa.into(),
            name: name.into(),
            reached,
            limit: if limit > 1.0 { limit } else { 0.0 },
        });
    }

    /// In thousand millions per second, and in percent of the limit.
    #[expect(clippy::print_stderr, reason = "the table is what the benchmark is for")]
    pub fn print(&self, units: &dyn Fn(&str) -> &'static str) {
        for kind in distinct(self.rows.iter().map(|row| &row.kind)) {
            let of_kind: Vec<_> = self.rows.iter().filter(|row| row.kind == *kind).collect();
            let sets = distinct(of_kind.iter().map(|row| &row.isa));
            eprintln!("\n{kind}, {}, and percent of what was measured beside it", units(kind));
            eprint!("{:28}", "");
            sets.iter().for_each(|isa| eprint!("{isa:>16}"));
            eprintln!();
            for name in distinct(of_kind.iter().map(|row| &row.name)) {
                eprint!("{name:28}");
                for isa in &sets {
                    let row = of_kind.iter().find(|row| row.isa == **isa && row.name == *name);
                    let cell = row.map_or(String::new(), |row| {
                        let percent = match row.limit {
                            0.0 => String::new(),
                            limit => format!("{:4.0} %", 100.0 * row.reached / limit),
                        };
                        format!("{:.1} {percent}", row.reached / 1e9)
                    });
                    eprint!("{cell:>16}");
                }
                eprintln!();
            }
            for isa in &sets {
                let limits = of_kind.iter().filter(|row| row.isa == **isa).map(|row| row.limit);
                let (least, most) = limits.fold((f64::MAX, 0.0f64), |(least, most), limit| {
                    (least.min(limit), most.max(limit))
                });
                if most > 0.0 {
                    eprintln!("limits of {isa}: {:.1} to {:.1}", least / 1e9, most / 1e9);
                }
            }
        }
    }
}

/// In the order of their first coming.
fn distinct<'a>(all: impl Iterator<Item = &'a String>) -> Vec<&'a String> {
    let mut found: Vec<&String> = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}
