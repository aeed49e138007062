//! The finished page, read back: the clauses of archiving and accessibility, one by one, and every sample.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

use std::collections::BTreeSet;

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Object, ObjectId};
use serde_json::Value;

use super::signature::tests::signature;
use super::*;

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An ordinary annotated copy without photo.
pub(crate) fn sheet() -> Sheet {
    Sheet {
        title: "注册城乡规划师职业资格证书".into(),
        holder_name: "欧阳明华".into(),
        id_number: "11010519491231002X".into(),
        sex: Some("女".into()),
        born: Some(day("1949-12-31")),
        level: None,
        specialty: Some("城乡规划".into()),
        approved_on: day("2024-09-22"),
        issued_on: day("2024-11-01"),
        valid_until: None,
        management_no: "2024092211000000".into(),
        licence_id: "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U".into(),
        issuer: "示例省人事考试中心".into(),
        photo: None,
        signature: None,
        hand_signature: false,
        stamp: Stamp {
            arc: "示例省人事考试中心".into(), purpose: "测试专用章".into(), diameter_mm: 42
        },
        copy: CopyKind::Annotated(block()),
        made_at: "2026-11-21T15:41:00Z".parse().unwrap(),
    }
}

pub(crate) fn block() -> Block {
    Block {
        scenario: "本人调用".into(),
        recipient: Some("示例建设集团有限公司".into()),
        valid_from: day("2026-11-21"),
        valid_until: day("2027-02-18"),
        code: "K7QF 2M9X 4TRA 81WD 30VN C6JP 5H".into(),
        verify_url: "https://verify.example.org/v/K7QF2M9X4TRA81WD30VNC6JP5H".into(),
    }
}

pub(crate) fn photo() -> Photo {
    let picture =
        image::RgbImage::from_fn(200, 280, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 128]));
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    Photo::parse(png.get_ref()).unwrap()
}

fn variants() -> Vec<Sheet> {
    vec![
        sheet(),
        Sheet { photo: Some(photo()), ..sheet() },
        Sheet { copy: CopyKind::Plain, ..sheet() },
        Sheet {
            copy: CopyKind::Plain,
            photo: Some(photo()),
            valid_until: Some(day("2027-11-01")),
            ..sheet()
        },
        Sheet { signature: Some(signature()), photo: Some(photo()), ..sheet() },
        Sheet { signature: Some(signature()), hand_signature: true, copy: CopyKind::Plain, ..sheet() },
        Sheet { hand_signature: true, ..sheet() },
        Sheet { holder_name: "\u{20BB7}阿依古丽·买买提 Ann".into(), ..sheet() },
    ]
}

/// The sample certificates as annotated copies.
pub(crate) fn samples() -> Vec<Sheet> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let lines = include_str!("../../tests/samples/certificates.ndjson").lines();
    let sheets = lines.map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        let holder = &record["holder"];
        Sheet {
            title: text(&record["title"]).unwrap(),
            holder_name: text(&holder["name"]).unwrap(),
            id_number: text(&holder["id_number"]).unwrap(),
            sex: text(&holder["sex"]),
            born: text(&holder["born"]).map(|born| day(&born)),
            level: text(&record["level"]),
            specialty: text(&record["specialty"]),
            approved_on: day(record["approved_on"].as_str().unwrap()),
            issued_on: day(record["issued_on"].as_str().unwrap()),
            valid_until: text(&record["valid_until"]).map(|until| day(&until)),
            management_no: text(&record["management_no"]).unwrap(),
            issuer: text(&record["issuer"]["name"]).unwrap(),
            stamp: Stamp { arc: text(&record["issuer"]["name"]).unwrap(), ..sheet().stamp },
            ..sheet()
        }
    });
    sheets.collect()
}

struct Read {
    document: Document,
    bytes: Vec<u8>,
}

impl Read {
    fn of(sheet: &Sheet) -> Self {
        let bytes = render(sheet).unwrap().into_bytes();
        Self { document: Document::load_mem(&bytes).unwrap(), bytes }
    }

    fn catalog(&self) -> &Dictionary {
        self.document.catalog().unwrap()
    }

    fn page(&self) -> (ObjectId, &Dictionary) {
        let id = self.document.page_iter().next().unwrap();
        (id, self.document.get_dictionary(id).unwrap())
    }

    fn dict<'a>(&'a self, parent: &'a Dictionary, key: &str) -> &'a Dictionary {
        let object = parent.get_deref(key.as_bytes(), &self.document).unwrap();
        object.as_dict().unwrap_or_else(|_| &object.as_stream().unwrap().dict)
    }

    fn content(&self) -> Content {
        Content::decode(&self.document.get_page_content(self.page().0)).unwrap()
    }

    fn widget(&self) -> &Dictionary {
        let annots = self.page().1.get(b"Annots").unwrap().as_array().unwrap();
        assert_eq!(annots.len(), 1);
        self.document.get_dictionary(annots[0].as_reference().unwrap()).unwrap()
    }

    fn xmp(&self) -> String {
        let metadata = self.catalog().get_deref(b"Metadata", &self.document).unwrap().as_stream().unwrap();
        assert!(!metadata.dict.has(b"Filter"));
        String::from_utf8(metadata.content.clone()).unwrap()
    }

    fn plain(&self, parent: &Dictionary, key: &str) -> Vec<u8> {
        let stream = parent.get_deref(key.as_bytes(), &self.document).unwrap().as_stream().unwrap();
        stream.get_plain_content().unwrap()
    }
}

#[test]
fn the_same_sheet_gives_the_same_bytes_in_every_thread() {
    for sheet in variants() {
        let first = render(&sheet).unwrap();
        let other = std::thread::spawn({
            let sheet = sheet.clone();
            move || render(&sheet).unwrap()
        });
        assert!(first == other.join().unwrap());
    }
}

#[test]
fn the_file_has_one_header_one_table_and_one_end() {
    let Read { bytes, document } = Read::of(&sheet());
    assert!(bytes.starts_with(b"%PDF-1.7\n%") && bytes.ends_with(b"%%EOF\n"));
    assert!(bytes[10..14].iter().all(|byte| *byte > 127));
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(text.matches("startxref").count(), 1);
    assert_eq!(text.matches("\nxref\n0 ").count(), 1);
    let id = document.trailer.get(b"ID").unwrap().as_array().unwrap();
    assert_eq!(id[0].as_str().unwrap().len(), 16);
    assert_eq!(id[0], id[1]);
    // The numbers have no gaps.
    assert_eq!(document.objects.len() as i64 + 1, document.trailer.get(b"Size").unwrap().as_i64().unwrap());
}

#[test]
fn the_hole_is_where_it_is_said_to_be_and_the_signature_comes_last() {
    for sheet in variants() {
        let pdf = render(&sheet).unwrap();
        let (bytes, hole) = (pdf.as_bytes(), pdf.hole());
        assert_eq!(&bytes[hole.byte_range.clone()], b"[0 999999999 999999999 999999999]");
        let contents = &bytes[hole.contents.clone()];
        assert_eq!(contents.len(), 2 * HOLE + 2);
        assert!(contents.starts_with(b"<0") && contents.ends_with(b"0>"));
        assert!(contents[1..contents.len() - 1].iter().all(|digit| *digit == b'0'));
        assert!(bytes[hole.contents.end..].starts_with(b">>\nendobj\nxref\n"));
        assert!(bytes[..hole.byte_range.start].ends_with(b"/ByteRange"));
        assert!(bytes[..hole.contents.start].ends_with(b"/Contents"));
    }
}

#[test]
fn all_shown_content_is_tagged_or_an_artifact_and_numbered_from_zero() {
    for sheet in variants() {
        let read = Read::of(&sheet);
        let (mut open, mut numbers) = (false, Vec::new());
        for operation in read.content().operations {
            match operation.operator.as_str() {
                "BDC" => {
                    assert!(!open, "marked content is nested");
                    open = true;
                    let properties = operation.operands[1].as_dict().unwrap();
                    match operation.operands[0].as_name().unwrap() {
                        b"Artifact" => assert!(properties.has(b"Type")),
                        _ => numbers.push(properties.get(b"MCID").unwrap().as_i64().unwrap()),
                    }
                }
                "EMC" => {
                    assert!(open, "marked content ends before it begins");
                    open = false;
                }
                "Tj" | "TJ" | "Do" | "S" | "s" | "f" | "re" => {
                    assert!(open, "{} is not marked", operation.operator)
                }
                _ => {}
            }
        }
        assert!(!open);
        assert_eq!(numbers, (0..numbers.len() as i64).collect::<Vec<_>>());
        let tree = read.dict(read.catalog(), "StructTreeRoot");
        let nums = read.dict(tree, "ParentTree").get(b"Nums").unwrap().as_array().unwrap();
        assert_eq!(nums[1].as_array().unwrap().len(), numbers.len());
        assert_eq!(nums.len(), 4);
    }
}

#[test]
fn the_structure_tree_reaches_every_number_once_and_names_parents() {
    for sheet in variants() {
        let read = Read::of(&sheet);
        let tree = read.catalog().get(b"StructTreeRoot").unwrap().as_reference().unwrap();
        let root = read.document.get_dictionary(tree).unwrap();
        let (mut todo, mut numbers, mut tags) =
            (vec![(tree, root.get(b"K").unwrap().clone())], Vec::new(), Vec::new());
        while let Some((parent, kid)) = todo.pop() {
            match kid {
                Object::Reference(id) => {
                    let element = read.document.get_dictionary(id).unwrap();
                    assert_eq!(element.get(b"P").unwrap().as_reference().unwrap(), parent);
                    let tag =
                        String::from_utf8(element.get(b"S").unwrap().as_name().unwrap().to_vec()).unwrap();
                    match tag.as_str() {
                        "Figure" => assert!(element.has(b"Alt") && read.dict(element, "A").has(b"BBox")),
                        "TH" => assert_eq!(
                            read.dict(element, "A").get(b"Scope").unwrap().as_name().unwrap(),
                            b"Row"
                        ),
                        _ => {}
                    }
                    tags.push(tag);
                    todo.push((id, element.get(b"K").unwrap().clone()));
                }
                Object::Array(kids) => todo.extend(kids.into_iter().rev().map(|kid| (parent, kid))),
                Object::Integer(number) => numbers.push(number),
                Object::Dictionary(reference) => assert!(reference.has_type(b"OBJR")),
                other => panic!("{other:?} in the tree"),
            }
        }
        assert_eq!(numbers, (0..numbers.len() as i64).collect::<Vec<_>>(), "reading order");
        assert_eq!(tags[..2], ["Document", "H1"]);
        assert_eq!(tags.last().unwrap(), "Form");
        let figures = tags.iter().filter(|tag| *tag == "Figure").count();
        let pictures = [sheet.photo.is_some(), sheet.signature.is_some(), sheet.copy != CopyKind::Plain];
        assert_eq!(figures, pictures.into_iter().filter(|there| *there).count());
    }
}

#[test]
fn catalog_page_and_widget_have_what_the_standards_ask_for() {
    let read = Read::of(&sheet());
    let catalog = read.catalog();
    assert_eq!(catalog.get(b"Lang").unwrap().as_str().unwrap(), b"zh-CN");
    assert!(read.dict(catalog, "MarkInfo").get(b"Marked").unwrap().as_bool().unwrap());
    assert!(read.dict(catalog, "ViewerPreferences").get(b"DisplayDocTitle").unwrap().as_bool().unwrap());
    assert_eq!(read.dict(catalog, "AcroForm").get(b"SigFlags").unwrap().as_i64().unwrap(), 3);
    assert!(!catalog.has(b"PageMode") && !catalog.has(b"PageLayout"));
    let (_, page) = read.page();
    assert_eq!(page.get(b"Tabs").unwrap().as_name().unwrap(), b"S");
    assert_eq!(page.get(b"StructParents").unwrap().as_i64().unwrap(), 0);
    assert!(page.has(b"Group") && !page.has(b"TrimBox"));
    let widget = read.widget();
    assert_eq!(widget.get(b"F").unwrap().as_i64().unwrap(), 132);
    assert_eq!(widget.get(b"StructParent").unwrap().as_i64().unwrap(), 1);
    assert!(widget.has(b"TU"));
    let seal = read.dict(read.dict(widget, "AP"), "N");
    assert!(read.dict(read.dict(seal, "Resources"), "ExtGState").has(b"Multiply"));
    let signature = read.dict(widget, "V");
    assert_eq!(signature.get(b"SubFilter").unwrap().as_name().unwrap(), b"ETSI.CAdES.detached");
    assert_eq!(signature.get(b"M").unwrap().as_str().unwrap(), b"D:20261121234100+08'00'");
    let reference = signature.get(b"Reference").unwrap().as_array().unwrap()[0].as_dict().unwrap();
    assert!(!reference.has(b"DigestMethod") && !reference.has(b"DigestValue"));
    assert_eq!(read.dict(reference, "TransformParams").get(b"P").unwrap().as_i64().unwrap(), 1);
    assert_eq!(read.dict(catalog, "Perms").get(b"DocMDP").unwrap(), widget.get(b"V").unwrap());
}

#[test]
fn colours_are_tied_to_a_profile_of_three_components() {
    let read = Read::of(&sheet());
    let intents = read.catalog().get(b"OutputIntents").unwrap().as_array().unwrap();
    let intent = read.document.get_dictionary(intents[0].as_reference().unwrap()).unwrap();
    assert_eq!(intent.get(b"S").unwrap().as_name().unwrap(), b"GTS_PDFA1");
    assert_eq!(read.dict(intent, "DestOutputProfile").get(b"N").unwrap().as_i64().unwrap(), 3);
    assert_eq!(&read.plain(intent, "DestOutputProfile")[36..40], b"acsp");
}

#[test]
fn metadata_and_information_say_the_same() {
    let read = Read::of(&Sheet { title: "一级<建造师>证书 & 附页".into(), ..sheet() });
    let xmp = read.xmp();
    for fact in [
        "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
        "<pdfaProperty:valueType>Integer</pdfaProperty:valueType>",
        "一级&lt;建造师&gt;证书 &amp; 附页",
        "<xmp:CreateDate>2026-11-21T23:41:00+08:00</xmp:CreateDate>",
        "<xmp:CreatorTool>Vermilion</xmp:CreatorTool>",
    ] {
        assert!(xmp.contains(fact), "{fact}");
    }
    let info = read.document.trailer.get(b"Info").unwrap().as_reference().unwrap();
    let info = read.document.get_dictionary(info).unwrap();
    assert_eq!(lopdf::decode_text_string(info.get(b"Title").unwrap()).unwrap(), "一级<建造师>证书 & 附页");
    assert_eq!(info.get(b"CreationDate").unwrap().as_str().unwrap(), b"D:20261121234100+08'00'");
    assert_eq!(info.get(b"Creator").unwrap().as_str().unwrap(), b"Vermilion");
    assert_eq!(info.len(), 5);
}

#[test]
fn the_copys_data_are_attached_and_associated() {
    let read = Read::of(&sheet());
    let names = read
        .dict(read.dict(read.catalog(), "Names"), "EmbeddedFiles")
        .get(b"Names")
        .unwrap()
        .as_array()
        .unwrap();
    assert_eq!(names[0].as_str().unwrap(), b"certificate.json");
    assert_eq!(read.catalog().get(b"AF").unwrap().as_array().unwrap()[0], names[1]);
    let spec = read.document.get_dictionary(names[1].as_reference().unwrap()).unwrap();
    assert_eq!(spec.get(b"AFRelationship").unwrap().as_name().unwrap(), b"Data");
    assert_eq!(spec.get(b"F").unwrap(), spec.get(b"UF").unwrap());
    let data = read.plain(read.dict(spec, "EF"), "F");
    let record: Value = serde_json::from_slice(&data).unwrap();
    assert_eq!(record["holder"]["name"], "欧阳明华");
    assert_eq!(record["annotation"]["code"], "K7QF2M9X4TRA81WD30VNC6JP5H");
    assert_eq!(record["制作时间"], "20261121234100");
    assert_eq!(record["制作者"], "示例省人事考试中心");
    assert_eq!(record["制作事由"], "电子证书加注：本人调用");
    assert_eq!(record["有效期截止时间"], "20270218235959");
    let stream = read.dict(read.dict(spec, "EF"), "F");
    assert_eq!(read.dict(stream, "Params").get(b"Size").unwrap().as_i64().unwrap() as usize, data.len());
}

#[test]
fn every_face_is_embedded_tagged_and_mapped_to_unicode_and_gid_zero_is_never_shown() {
    for sheet in variants() {
        let read = Read::of(&sheet);
        let fonts = read.dict(read.dict(read.page().1, "Resources"), "Font");
        let mut current = Vec::new();
        let mut used = BTreeSet::new();
        for operation in read.content().operations {
            match operation.operator.as_str() {
                "Tf" => current = operation.operands[0].as_name().unwrap().to_vec(),
                "Tj" => {
                    let font = read.dict(fonts, std::str::from_utf8(&current).unwrap());
                    let map = String::from_utf8(read.plain(font, "ToUnicode")).unwrap().to_lowercase();
                    used.insert(current.clone());
                    for code in operation.operands[0].as_str().unwrap().chunks(2) {
                        assert_ne!(code, [0, 0], "the empty box is shown");
                        assert!(map.contains(&format!("{:02x}{:02x}", code[0], code[1])));
                    }
                }
                "TJ" | "'" | "\"" => panic!("text is shown in a way this test does not read"),
                _ => {}
            }
        }
        assert_eq!(used.len(), fonts.len());
        for (_, font) in fonts {
            let font = read.document.get_dictionary(font.as_reference().unwrap()).unwrap();
            assert_eq!(font.get(b"Encoding").unwrap().as_name().unwrap(), b"Identity-H");
            let descendant = font.get(b"DescendantFonts").unwrap().as_array().unwrap()[0].as_dict().unwrap();
            let descriptor = read.dict(descendant, "FontDescriptor");
            let base = font.get(b"BaseFont").unwrap().as_name().unwrap();
            assert!(base[..6].iter().all(u8::is_ascii_uppercase) && base[6] == b'+');
            assert_eq!(descendant.get(b"BaseFont").unwrap().as_name().unwrap(), base);
            assert_eq!(descriptor.get(b"FontName").unwrap().as_name().unwrap(), base);
            assert_eq!(descendant.get(b"CIDToGIDMap").unwrap().as_name().unwrap(), b"Identity");
            assert_eq!(descriptor.get(b"Flags").unwrap().as_i64().unwrap(), 4);
            assert!(!descriptor.has(b"CIDSet"));
            let program = read.plain(descriptor, "FontFile2");
            assert!(ttf_parser::Face::parse(&program, 0).is_ok());
        }
    }
}

#[test]
fn every_sample_is_printed_in_at_most_64000_bytes() {
    let samples = samples();
    assert_eq!(samples.len(), 300);
    for sheet in samples {
        let pdf = render(&sheet).unwrap_or_else(|refusal| panic!("{}: {refusal}", sheet.management_no));
        assert!(pdf.as_bytes().len() <= 64_000, "{}: {}", sheet.management_no, pdf.as_bytes().len());
    }
}

#[test]
fn a_signature_is_ink_under_a_soft_mask_and_costs_few_bytes() {
    let plain = render(&sheet()).unwrap().into_bytes().len();
    let signed = Sheet { signature: Some(signature()), ..sheet() };
    let read = Read::of(&signed);
    assert!(read.bytes.len() <= plain + Signature::KEPT, "{} and {plain}", read.bytes.len());
    let picture = read.dict(read.dict(read.dict(read.page().1, "Resources"), "XObject"), "S");
    let whole = |dict: &Dictionary, key: &str| dict.get(key.as_bytes()).unwrap().as_i64().unwrap() as usize;
    let (width, height) = (whole(picture, "Width"), whole(picture, "Height"));
    let mask = read.dict(picture, "SMask");
    assert_eq!((whole(mask, "Width"), whole(mask, "Height")), (width, height));
    assert_eq!(read.plain(picture, "SMask").len(), width.div_ceil(2) * height);
    let ink = read.plain(read.dict(read.dict(read.page().1, "Resources"), "XObject"), "S");
    assert!(ink.len() == width.div_ceil(8) * height && ink.iter().all(|byte| *byte == 0));
}

#[test]
fn what_cannot_be_printed_is_named_with_its_field() {
    let refusal = |sheet: Sheet| render(&sheet).unwrap_err();
    let bad = '\u{1f600}';
    assert_eq!(
        refusal(Sheet { holder_name: format!("张{bad}"), ..sheet() }),
        Unprintable::NoGlyph { character: bad, field: "holder_name" }
    );
    let copy = CopyKind::Annotated(Block { recipient: Some("甲\u{200b}乙".into()), ..block() });
    assert_eq!(
        refusal(Sheet { copy, ..sheet() }),
        Unprintable::NoGlyph { character: '\u{200b}', field: "recipient" }
    );
    let copy = CopyKind::Annotated(Block { recipient: Some("示".repeat(200)), ..block() });
    assert_eq!(refusal(Sheet { copy, ..sheet() }), Unprintable::TooLong { field: "recipient" });
    assert_eq!(
        refusal(Sheet { title: "证".repeat(200), ..sheet() }),
        Unprintable::TooLong { field: "title" }
    );
    assert_eq!(
        refusal(Sheet { holder_name: "张".repeat(200), ..sheet() }),
        Unprintable::TooLong { field: "holder_name" }
    );
}

#[test]
fn refusals_and_debug_output_do_not_tell_a_name() {
    let pdf = render(&sheet()).unwrap();
    assert_eq!(format!("{pdf:?}"), format!("UnsealedPdf({} bytes)", pdf.as_bytes().len()));
    let refusal = render(&Sheet { holder_name: "张\u{301}三".into(), ..sheet() }).unwrap_err();
    assert_eq!(refusal.to_string(), "no font holds U+0301, which stands in holder_name");
}
