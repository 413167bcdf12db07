//! Charges in files: read whole or not at all, and written so that no spreadsheet runs a cell.

use super::typed::{Amount, TypedCharge, checked};
use holdfast_domain::{Currency, Money, TenantSlug};
use holdfast_ledger::Charge;
use std::collections::BTreeMap;

/// The columns, in this order. A reference on several lines is one charge in several parts.
pub(crate) const COLUMNS: [&str; 8] =
    ["reference", "plate", "payer", "for", "amount", "currency", "due", "users"];
/// The column that an export has besides.
const STATE_COLUMN: &str = "state";
/// Lines of one file at the most: as many as one transaction should write.
const LINES_MAX: usize = 10_000;
/// Errors listed at the most: whoever sees this many has the wrong file.
const ERRORS_SHOWN_MAX: usize = 20;
/// What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A file to begin with.
pub(crate) const EXAMPLE: &str = "\
reference,plate,payer,for,amount,currency,due,users
N-2041,AB 123 CD,Kim Lee,Parking without permit,65.00,USD,2026-12-31,officers portal
N-2042,XY 987,Robin Doe,Clamp release,120.00,,,
N-2042,,,Storage for 2 days,40.00,,,
";

/// Every charge of a file, or every error with its line.
pub(crate) fn read(
    text: &[u8],
    tenant: &TenantSlug,
    currency: Currency,
) -> Result<Vec<Charge>, Vec<String>> {
    let typed = rows(text)?;
    let (mut charges, mut errors) = (Vec::new(), Vec::new());
    for (line, typed) in typed {
        match checked(&typed, tenant, currency) {
            Ok(charge) => charges.push(charge),
            Err(wrong) => errors.extend(wrong.into_iter().map(|(field, why)| {
                let column = if field == "user_types" { "users" } else { field };
                let column = if column == "due_on" { "due" } else { column };
                format!("Line {line}, {column}: {why}")
            })),
        }
        if errors.len() >= ERRORS_SHOWN_MAX {
            errors.truncate(ERRORS_SHOWN_MAX);
            errors.push("And perhaps more.".to_owned());
            break;
        }
    }
    if errors.is_empty() { Ok(charges) } else { Err(errors) }
}

/// The charges as they stand in the file, each with its first line, in the order of the file.
fn rows(text: &[u8]) -> Result<Vec<(u64, TypedCharge)>, Vec<String>> {
    // Spreadsheets begin UTF-8 files with a byte order mark.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let text = with_plain_ends(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .delimiter(delimiter(&text))
        .from_reader(text.as_slice());
    let headers = reader.headers().map_err(|error| vec![broken(&error)])?;
    let named = headers.iter().map(str::to_ascii_lowercase).collect::<Vec<_>>();
    // An export has the state as well, which nobody sets.
    let exported = named.strip_suffix(&[STATE_COLUMN.to_owned()]);
    if exported.unwrap_or(&named) != COLUMNS {
        return Err(vec![format!("Line 1: the columns are {}, in this order.", COLUMNS.join(","))]);
    }
    let columns = headers.len();
    let (mut found, mut places): (Vec<(u64, TypedCharge)>, _) = (Vec::new(), BTreeMap::new());
    for (count, record) in reader.records().enumerate() {
        let record = record.map_err(|error| vec![broken(&error)])?;
        let line = record.position().map_or(0, csv::Position::line);
        if count >= LINES_MAX {
            return Err(vec![format!("There are more than {LINES_MAX} lines; split the file.")]);
        }
        let cells = record.iter().take(COLUMNS.len()).map(plain).collect::<Vec<_>>();
        let [reference, plate, payer, text, amount, currency, due, users] = cells[..] else {
            return Err(wrong_count(line, record.len(), columns));
        };
        if record.len() != columns {
            return Err(wrong_count(line, record.len(), columns));
        }
        let part = (text.to_owned(), Amount::Typed(amount.to_owned()));
        let key = reference.to_ascii_uppercase();
        let typed = TypedCharge {
            reference: key.clone(),
            plate: plate.to_owned(),
            payer: payer.to_owned(),
            parts: vec![part.clone()],
            currency: currency.to_owned(),
            due_on: due.to_owned(),
            user_types: users.to_owned(),
        };
        match places.get(&key).and_then(|place: &usize| found.get_mut(*place)) {
            None => {
                places.insert(key, found.len());
                found.push((line, typed));
            }
            Some((_, known)) if agrees(known, &typed) => known.parts.push(part),
            Some((first, _)) => {
                return Err(vec![format!(
                    "Line {line}: {reference} stands on line {first} with other words. Leave plate, \
                     payer, currency, due and users empty on further lines."
                )]);
            }
        }
    }
    if found.is_empty() {
        return Err(vec!["Line 2: there are no charges; add one line for each.".to_owned()]);
    }
    Ok(found)
}

fn wrong_count(line: u64, found: usize, columns: usize) -> Vec<String> {
    vec![format!("Line {line}: there are {found} columns, not {columns}.")]
}

/// What stands between the cells. Where the comma is the decimal sign, spreadsheets write semicolons.
fn delimiter(text: &[u8]) -> u8 {
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if header.contains(&b';') && !header.contains(&b',') { b';' } else { b',' }
}

/// Lines that end in a line feed alone. Browsers send text with both characters, and the reader
/// counts the second one to the line that follows: its errors would name the line before.
pub(crate) fn with_plain_ends(text: &[u8]) -> Vec<u8> {
    let followed_by = text.iter().skip(1).chain(std::iter::once(&b' '));
    let pairs = text.iter().zip(followed_by);
    pairs.filter(|(byte, next)| (**byte, **next) != (b'\r', b'\n')).map(|(byte, _)| *byte).collect()
}

/// True if a further line of the same reference says nothing else.
fn agrees(known: &TypedCharge, further: &TypedCharge) -> bool {
    let pairs = [
        (&known.plate, &further.plate),
        (&known.payer, &further.payer),
        (&known.currency, &further.currency),
        (&known.due_on, &further.due_on),
        (&known.user_types, &further.user_types),
    ];
    pairs.into_iter().all(|(known, further)| further.is_empty() || known == further)
}

fn broken(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => {
            format!("Line {line}: this is not UTF-8; save the file as CSV UTF-8.")
        }
        _ => format!("Line {line}: this is not CSV; check its quotation marks."),
    }
}

/// Takes away the mark that [`cell`] puts before what looks like a formula.
fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA_STARTS)).unwrap_or(cell)
}

/// A cell that no spreadsheet takes for a formula.
pub(crate) fn cell(text: &str) -> String {
    if text.starts_with(FORMULA_STARTS) { format!("'{text}") } else { text.to_owned() }
}

/// A file of charges, with the same columns and the state of each.
pub(crate) fn write<'a>(charges: impl Iterator<Item = (&'a Charge, &'static str)>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory has no error.
    let _ = writer.write_record(COLUMNS.iter().chain(&[STATE_COLUMN]));
    for (charge, state) in charges {
        let currency = charge.amount.currency();
        for line in &charge.lines {
            let amount = Money::new(line.minor, currency);
            let cells = [
                charge.reference.as_str(),
                &charge.plate,
                &charge.payer,
                &line.text,
                &digits(amount),
                currency.code(),
                &charge.due_on,
                &charge.user_types.replace(',', " "),
                state,
            ];
            let _ = writer.write_record(cells.map(cell));
        }
    }
    writer.into_inner().unwrap_or_default()
}

/// An amount without its currency.
fn digits(amount: Money) -> String {
    let text = amount.to_string();
    text.rsplit(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tenant() -> TenantSlug {
        "demo".parse().unwrap()
    }

    fn parse(text: &str) -> Result<Vec<Charge>, Vec<String>> {
        read(text.as_bytes(), &tenant(), Currency::USD)
    }

    fn lines(rows: &[&str]) -> String {
        format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n"))
    }

    #[test]
    fn the_example_is_a_good_file() {
        let charges = parse(EXAMPLE).unwrap();
        assert_eq!(charges.len(), 2);
        assert_eq!((charges[1].amount.minor(), charges[1].lines.len()), (16_000, 2));
    }

    #[test]
    fn every_wrong_line_is_named() {
        let text = lines(&["N-1,,,A,1,,,", "n 2,,,B,1,,,", "N-3,,,C,one,,soon,"]);
        let errors = parse(&text).unwrap_err();
        let starts = ["Line 3, reference:", "Line 4, due:", "Line 4, amount:"];
        for start in starts {
            assert!(errors.iter().any(|it| it.starts_with(start)), "{start}: {errors:?}");
        }
        let as_browsers_send_it = text.replace('\n', "\r\n");
        assert_eq!(parse(&as_browsers_send_it).unwrap_err(), errors);
        for (text, start) in [
            ("a,b\n", "Line 1: the columns"),
            (&lines(&[]), "Line 2: there are no charges"),
            (&lines(&["N-1,,,A"]), "Line 2: there are 4 columns"),
            (&lines(&["N-1,X,,A,1,,,", "N-1,Y,,B,1,,,"]), "Line 3: N-1 stands on line 2"),
        ] {
            assert!(parse(text).unwrap_err()[0].starts_with(start), "{start}");
        }
        let many: Vec<String> = (0..30).map(|n| format!("x {n},,,A,1,,,")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(parse(&lines(&many)).unwrap_err().len(), ERRORS_SHOWN_MAX + 1);
        assert!(read(b"reference\xFF", &tenant(), Currency::USD).unwrap_err()[0].contains("UTF-8"));
    }

    #[test]
    fn no_cell_is_a_formula_and_the_file_is_read_back() {
        let mut charges = parse(&lines(&["N-1,=1+1,@SUM(A1),+A,1.50,,2026-12-31,portal"])).unwrap();
        let file = write(charges.iter().map(|it| (it, "open")));
        let text = String::from_utf8(file).unwrap();
        assert!(text.contains(",'=1+1,'@SUM(A1),'+A,1.50,USD,2026-12-31,portal,open"), "{text}");
        charges[0].user_types = "portal".into();
        assert_eq!(parse(&text).unwrap(), charges, "an export is an import");
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let plain = lines(&["N-1,AB 1,\"Lee, Kim\",Parking,65.00,USD,2026-12-31,officers"]);
        let charges = parse(&plain).unwrap();
        assert_eq!(charges[0].payer, "Lee, Kim");
        let semicolons = plain.replace("Lee, Kim", "Lee/ Kim").replace(',', ";").replace('/', ",");
        for text in [
            format!("\u{feff}{plain}"),
            plain.replace('\n', "\r\n"),
            format!("\u{feff}{}", plain.replace('\n', "\r\n")),
            semicolons.clone(),
            format!("\u{feff}{}", semicolons.replace('\n', "\r\n")),
            plain.trim_end().to_owned(),
        ] {
            assert_eq!(parse(&text).as_ref(), Ok(&charges), "{text:?}");
        }
        // The comma of a decimal is no point: whoever means 65 is not taken for 6500.
        let comma = semicolons.replace("65.00", "65,00");
        assert!(parse(&comma).unwrap_err()[0].starts_with("Line 2, amount:"));
        // A line break inside of quotes is counted, and refused where it stands.
        let broken = lines(&["N-1,,\"Kim\nLee\",A,1,,,", "n 2,,,B,1,,,"]);
        for text in [broken.clone(), broken.replace('\n', "\r\n")] {
            let errors = parse(&text).unwrap_err();
            assert!(errors[0].starts_with("Line 2, payer:"), "{errors:?}");
            assert!(errors[1].starts_with("Line 4, reference:"), "{errors:?}");
        }
    }

    #[test]
    fn ten_thousand_lines_are_read_and_one_more_is_not() {
        let rows: Vec<String> = (0..=LINES_MAX).map(|n| format!("N-{n},,,A,1,,,")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        assert_eq!(parse(&lines(&rows[1..])).unwrap().len(), LINES_MAX);
        assert!(parse(&lines(&rows)).unwrap_err()[0].contains("more than 10000 lines"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_never_a_formula(text in ".{0,20}") {
            prop_assert!(!cell(&text).starts_with(FORMULA_STARTS));
        }

        #[test]
        fn any_bytes_are_charges_or_named_errors(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Err(errors) = read(&bytes, &tenant(), Currency::USD) {
                prop_assert!(!errors.is_empty());
            }
        }
    }
}
