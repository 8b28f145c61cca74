use super::*;
use crate::body::json::BODY_LIMITS;
use proptest::prelude::*;

const TYPE: &str = "multipart/form-data; boundary=xx";

fn read(text: &str) -> Result<Vec<Part<'_>>, FormFault> {
    parse(text.as_bytes(), TYPE, BODY_LIMITS)
}

/// A form of one part with this header.
fn headed(header: &str) -> Option<FormFault> {
    read(&format!("--xx\r\n{header}\r\n\r\nv\r\n--xx--\r\n")).err()
}

fn named(parameters: &str) -> Option<FormFault> {
    headed(&format!("Content-Disposition: form-data; {parameters}"))
}

#[test]
fn parts_are_read_as_they_were_sent() {
    let parts = read(concat!(
        "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n",
        "--xx\r\ncontent-disposition:form-data;name=\"f\";filename=\"caf\u{e9} 1.png\"\r\n",
        "Content-Type: image/png\r\n\r\n\r\n",
        "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--x\r\n",
        "--xx--\r\n"
    ))
    .unwrap();
    let told: Vec<_> = parts
        .iter()
        .map(|part| (part.name.as_str(), part.file_name.as_deref(), part.bytes))
        .collect();
    assert_eq!(
        told,
        [
            ("a", None, &b"1\r\n2"[..]),
            ("f", Some("caf\u{e9} 1.png"), b""),
            ("a", None, b"--x")
        ]
    );
    assert_eq!(parts[1].media_type, Some(mime::IMAGE_PNG));
    assert!(read("--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--xx--").is_ok());
}

#[test]
fn framing_with_two_readings_is_refused() {
    let part = "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv";
    for text in [
        String::new(),
        "--xx--".into(),
        "--xx--\r\n".into(),
        part.into(),
        format!("{part}\r\n"),
        format!("{part}\r\n--xx"),
        format!("{part}\r\n--xx\r\n"),
        format!("{part}\n--xx--"),
        format!("{part}--xx--"),
        format!("{part}\r--xx--"),
        format!("{part}\r\n--xx --"),
        format!("{part}\r\n--xx-- "),
        format!("{part}\r\n--xx--\r\n\r\n"),
        format!("{part}\r\n--xx--\r\nafter"),
        format!("before\r\n{part}\r\n--xx--"),
        format!("\r\n{part}\r\n--xx--"),
        format!("{part}\r\n--xx--\r\n{part}\r\n--xx--"),
        format!("{part}\r\n--xx\n{part}\r\n--xx--"),
        format!("{part} --xx \r\n--xx--"),
        format!("{part}\n--xx\n\r\n--xx--"),
        format!("{part}\r\n--xxy\r\n--xx--"),
        format!("{part}\r\n--xx \r\n{part}\r\n--xx--"),
        "--xx\nContent-Disposition: form-data; name=\"a\"\n\nv\n--xx--\n".into(),
        "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\nv\r\n--xx--".into(),
    ] {
        assert_eq!(read(&text).err(), Some(FormFault::Framing), "{text:?}");
    }
}

#[test]
fn a_boundary_is_named_once_and_plainly() {
    let whole = b"--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n--xx--";
    let with = |parameters: &str| {
        let content_type = format!("multipart/form-data{parameters}");
        parse(whole, &content_type, BODY_LIMITS).err()
    };
    for parameters in [
        "; boundary=xx",
        ";boundary=\"xx\"",
        "; charset=utf-8; BOUNDARY=xx",
    ] {
        assert_eq!(with(parameters), None, "{parameters}");
    }
    for parameters in [
        "",
        "; boundary=",
        "; boundary=\"\"",
        "; boundary=xx; boundary=yy",
        "; boundary=xx; boundary=xx",
        "; boundary=yy; Boundary=xx",
        "; boundary=\"x x\"",
        "; boundary=\"xx \"",
        "; boundary=\"x\\x\"",
        "; boundary*=utf-8''xx",
        "; boundary=xx; boundary*=utf-8''yy",
        "; boundary=xx; boundary*0=yy",
        "; xboundary=yy; boundary=xx",
        "; a=\"; boundary=yy\"; boundary=xx",
        "; charset*=utf-8''utf-7; boundary=xx",
        &format!("; boundary={}", "x".repeat(BOUNDARY_BYTES_MAX + 1)),
    ] {
        assert_eq!(with(parameters), Some(FormFault::Boundary), "{parameters}");
    }
    let longest = "x".repeat(BOUNDARY_BYTES_MAX);
    let whole = format!(
        "--{longest}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n--{longest}--"
    );
    let content_type = format!("multipart/form-data; boundary={longest}");
    assert!(parse(whole.as_bytes(), &content_type, BODY_LIMITS).is_ok());
}

#[test]
fn a_part_has_one_name_and_one_plain_file_name() {
    for parameters in [
        "name=\"a\"",
        "NAME=\"a\"; FileName=\"b.txt\"",
        "filename=\"..b\"; name=\"a;b=c\"",
        &format!("name=\"{}\"", "n".repeat(NAME_BYTES_MAX)),
    ] {
        assert_eq!(named(parameters), None, "{parameters}");
    }
    for parameters in [
        "",
        "name=\"\"",
        "name=a",
        "name='a'",
        "name=\"a",
        "name=\"a\"; name=\"b\"",
        "name=\"a\\\"; filename=\\\"b\"",
        "name=\"a\" b",
        "name=\"a\"; other=\"b\"",
        "name*=utf-8''a",
        "name =\"a\"",
        "name=\"a\"; ",
        &format!("name=\"{}\"", "n".repeat(NAME_BYTES_MAX + 1)),
    ] {
        assert_eq!(named(parameters), Some(FormFault::PartName), "{parameters}");
    }
    for file in [
        "filename=\"\"",
        "filename=b.txt",
        "filename=\"b\"; filename=\"c\"",
        "filename*=utf-8''b.txt",
        "filename=\"b\"; filename*=utf-8''c",
        "filename*0=\"b\"",
        "filename=\"a/b\"",
        "filename=\"../b\"",
        "filename=\"..\"",
        "filename=\".\"",
        "filename=\"a\\\\b\"",
        "filename=\"C:b\"",
        "filename=\"..%2fb\"",
        "filename=\"..%5Cb\"",
        "filename=\"b%00.png\"",
        "filename=\"b%250.png\"",
    ] {
        let parameters = format!("name=\"a\"; {file}");
        assert_eq!(
            named(&parameters),
            Some(FormFault::FileName),
            "{parameters}"
        );
    }
    assert_eq!(named("name=\"_charset_\""), Some(FormFault::CharsetField));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_part_has_the_header_of_a_form_field_and_no_other() {
    let disposition = "Content-Disposition: form-data; name=\"a\"";
    for (header, fault) in [
        (disposition.to_owned(), None),
        (
            format!("{disposition}\r\nContent-Type: text/plain; charset=utf-8"),
            None,
        ),
        ("Content-Type: text/plain".into(), Some(FormFault::PartName)),
        (
            "Content-Disposition: attachment; name=\"a\"".into(),
            Some(FormFault::PartName),
        ),
        (
            "Content-Disposition: form-data".into(),
            Some(FormFault::PartName),
        ),
        (
            format!("{disposition}\r\n{disposition}"),
            Some(FormFault::PartHeader),
        ),
        (
            format!("{disposition}\r\nContent-Type: a"),
            Some(FormFault::PartHeader),
        ),
        (
            format!("{disposition}; filename=\"a\"\r\nContent-Type: Multipart/mixed; boundary=z"),
            Some(FormFault::PartHeader),
        ),
        (
            format!("{disposition}\r\nContent-Type: text/plain\r\nContent-Type: text/html"),
            Some(FormFault::PartHeader),
        ),
        (
            format!("{disposition}\r\nContent-Transfer-Encoding: base64"),
            Some(FormFault::PartHeader),
        ),
        (
            format!("{disposition}\r\nX-Other: 1"),
            Some(FormFault::PartHeader),
        ),
        (
            format!("{disposition};\r\n filename=\"b\""),
            Some(FormFault::PartHeader),
        ),
        (
            "Content-Disposition : form-data; name=\"a\"".into(),
            Some(FormFault::PartHeader),
        ),
        (
            format!("{disposition}\r\nnocolon"),
            Some(FormFault::PartHeader),
        ),
        (
            "Content-Disposition: form-data; name=\"a\0\"".into(),
            Some(FormFault::PartHeader),
        ),
        (
            "Content-Disposition: form-data; name=\"a\nb\"".into(),
            Some(FormFault::PartHeader),
        ),
    ] {
        assert_eq!(headed(&header), fault, "{header:?}");
    }
    let padded = |bytes: usize| {
        let start = format!("{disposition}\r\nContent-Type: text/plain; a=");
        format!("{start}{}", "b".repeat(bytes - start.len()))
    };
    assert_eq!(headed(&padded(PART_HEADER_BYTES_MAX)), None);
    assert_eq!(
        headed(&padded(PART_HEADER_BYTES_MAX + 1)),
        Some(FormFault::PartHeader)
    );
    let latin = b"--xx\r\nContent-Disposition: form-data; name=\"\xe9\"\r\n\r\nv\r\n--xx--";
    assert_eq!(
        parse(latin, TYPE, BODY_LIMITS).err(),
        Some(FormFault::PartHeader)
    );
}

#[test]
fn parts_are_bounded_on_both_sides() {
    let limits = JsonLimits {
        names_max: 2,
        ..BODY_LIMITS
    };
    let parts = |count: usize| {
        "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n".repeat(count) + "--xx--"
    };
    assert!(parse(parts(2).as_bytes(), TYPE, limits).is_ok());
    assert_eq!(
        parse(parts(3).as_bytes(), TYPE, limits).err(),
        Some(FormFault::TooManyFields)
    );
}

proptest! {
    #[test]
    fn no_octets_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&bytes, TYPE, BODY_LIMITS);
    }

    #[test]
    fn form_like_text_never_panics_and_keeps_every_octet(text in "(--xx|\r\n|-|Content-Disposition: form-data; name=\"a\"|\r\n\r\n|v|\n){0,16}") {
        if let Ok(parts) = parse(text.as_bytes(), TYPE, BODY_LIMITS) {
            let written: String = parts
                .iter()
                .map(|part| format!("--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}\r\n", String::from_utf8_lossy(part.bytes)))
                .collect();
            prop_assert_eq!(text.trim_end(), written + "--xx--");
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5)) {
        let mut whole = Vec::new();
        for value in &values {
            whole.extend(b"--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n");
            whole.extend(value);
            whole.extend(b"\r\n");
        }
        whole.extend(b"--xx--\r\n");
        let parts = parse(&whole, TYPE, BODY_LIMITS);
        let read: Vec<_> = parts.unwrap().iter().map(|part| part.bytes.to_vec()).collect();
        prop_assert_eq!(read, values);
    }
}
