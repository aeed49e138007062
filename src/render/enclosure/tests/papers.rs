//! PDFs: what only shows pages is kept without its metadata, what does more is refused by its reason.

use lopdf::xref::XrefType;
use lopdf::{Document, Object, SaveOptions, Stream, dictionary};

use super::*;

/// A paper as a scanner writes one: pages, a photograph, metadata of every kind.
fn scanned(pages: u32) -> Document {
    let mut document = Document::with_version("1.6");
    let tree = document.new_object_id();
    let photograph = {
        let mut jpeg = file(photograph(80, 60), ImageFormat::Jpeg);
        jpeg.splice(2..2, *b"\xff\xe1\x00\x0eExif\0\0GPS 30");
        document.add_object(Stream::new(
            dictionary! {
                "Type" => "XObject", "Subtype" => "Image", "Width" => 80, "Height" => 60,
                "ColorSpace" => "DeviceRGB", "BitsPerComponent" => 8, "Filter" => "DCTDecode",
            },
            jpeg,
        ))
    };
    let told = document.add_object(Stream::new(
        dictionary! { "Type" => "Metadata", "Subtype" => "XML" },
        b"<x:xmpmeta>somebody</x:xmpmeta>".to_vec(),
    ));
    let kids: Vec<Object> = (0..pages)
        .map(|number| {
            let content = format!("q 100 0 0 100 10 10 cm /P Do Q BT ({number}) Tj ET");
            let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
            let page = document.add_object(dictionary! {
                "Type" => "Page", "Parent" => tree, "Contents" => content, "Metadata" => told,
                "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
                "Resources" => dictionary! { "XObject" => dictionary! { "P" => photograph } },
                "PieceInfo" => dictionary! { "Scanner" => dictionary! { "Private" => told } },
            });
            page.into()
        })
        .collect();
    document.set_object(tree, dictionary! { "Type" => "Pages", "Count" => pages, "Kids" => kids });
    let catalog = document.add_object(dictionary! {
        "Type" => "Catalog", "Pages" => tree, "Metadata" => told,
        "ViewerPreferences" => dictionary! { "DisplayDocTitle" => true },
    });
    let info = document.add_object(dictionary! {
        "Author" => Object::string_literal("somebody"), "Producer" => Object::string_literal("a scanner"),
    });
    document.trailer.set("Root", catalog);
    document.trailer.set("Info", info);
    document
}

fn saved(mut document: Document) -> Vec<u8> {
    document.reference_table.cross_reference_type = XrefType::CrossReferenceTable;
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// A classic file: one table, everything in clear.
pub(super) fn paper(pages: u32) -> Vec<u8> {
    saved(scanned(pages))
}

/// The same in object streams, with a cross-reference stream.
pub(super) fn packed() -> Vec<u8> {
    saved_packed(scanned(3))
}

fn saved_packed(mut document: Document) -> Vec<u8> {
    let options = SaveOptions::builder().use_object_streams(true).use_xref_streams(true);
    let options = options.max_objects_per_stream(9).compression_level(6).build();
    let mut bytes = Vec::new();
    document.save_with_options(&mut bytes, options).unwrap();
    bytes
}

/// A classic paper with something more before its table.
fn with_object(object: &[u8]) -> Vec<u8> {
    let text = paper(1);
    let at = text.windows(5).position(|bytes| bytes == b"\nxref").unwrap();
    [&text[..at], b"\n", object, &text[at..]].concat()
}

/// A paper whose catalog says something more.
fn with(key: &str, value: impl Into<Object>) -> Vec<u8> {
    let mut document = scanned(1);
    document.catalog_mut().unwrap().set(key, value.into());
    saved(document)
}

fn refusal(bytes: &[u8]) -> BadFile {
    Enclosure::of(bytes, &ANY).unwrap_err()
}

#[test]
fn a_paper_is_written_anew_without_a_word_about_who_made_it() {
    for bytes in [paper(3), packed()] {
        let kept = Enclosure::of(&bytes, &ANY).unwrap();
        assert_eq!(kept.treatment(), Treatment::Rewritten);
        assert_eq!((kept.media(), kept.extent()), (Media::Pdf, Extent::Pages(3)));
        let read = Document::load_mem(kept.as_bytes()).unwrap();
        assert_eq!(read.get_pages().len(), 3);
        assert!(!read.trailer.has(b"Info") && !read.catalog().unwrap().has(b"Metadata"));
        assert!(read.catalog().unwrap().has(b"ViewerPreferences"));
        let (_, page) = read.get_pages().into_iter().nth(2).unwrap();
        let content = read.get_page_content(page);
        assert!(content.starts_with(b"q 100 0 0 100 10 10 cm /P Do Q BT (2) Tj"));
        let everything = format!("{:?}", read.objects);
        for told in ["somebody", "scanner", "Scanner", "PieceInfo", "xmpmeta"] {
            assert!(!everything.contains(told), "{told}");
        }
        let photograph = read
            .objects
            .values()
            .find_map(|object| object.as_stream().ok().filter(|stream| stream.dict.has(b"ColorSpace")));
        let photograph = &photograph.unwrap().content;
        assert!(!photograph.windows(4).any(|bytes| bytes == b"Exif"));
        assert_eq!(dimensions(photograph), (80, 60));
    }
}

#[test]
fn fifty_pages_are_taken_and_fifty_one_are_not() {
    assert_eq!(Enclosure::of(&paper(50), &ANY).unwrap().extent(), Extent::Pages(50));
    assert_eq!(refusal(&paper(51)), BadFile::TooManyPages { pages: 51, most: 50 });
    assert_eq!(refusal(&paper(0)), BadFile::Damaged);
}

#[test]
fn the_bounds_of_a_paper_are_exact_since_none_is_fitted() {
    let padded = |length: usize| {
        let mut bytes = paper(1);
        bytes.resize(length, b'\n');
        bytes
    };
    assert!(Enclosure::of(&padded(500 * KB), &BOUNDS).is_ok());
    let large = BadFile::TooLarge { bytes: 500 * KB + 1, most: 500 * KB };
    assert_eq!(Enclosure::of(&padded(500 * KB + 1), &BOUNDS).unwrap_err(), large);
    assert!(Enclosure::of(&padded(200 * KB), &BOUNDS).is_ok());
    let small = BadFile::TooSmall { bytes: 200 * KB - 1, least: 200 * KB };
    assert_eq!(Enclosure::of(&padded(200 * KB - 1), &BOUNDS).unwrap_err(), small);
}

#[test]
fn what_does_more_than_show_pages_is_refused_by_its_reason() {
    let action = |kind: &str| dictionary! { "Type" => "Action", "S" => kind };
    let spec =
        dictionary! { "Type" => "Filespec", "F" => Object::string_literal("x"), "EF" => dictionary! {} };
    for (bytes, wanted) in [
        (with("OpenAction", action("JavaScript")), Active::Script),
        (with("Names", dictionary! { "JavaScript" => dictionary! {} }), Active::Script),
        (with("OpenAction", action("Launch")), Active::Action),
        (with("AA", dictionary! { "WC" => action("SubmitForm") }), Active::Action),
        (with("Names", dictionary! { "EmbeddedFiles" => dictionary! {} }), Active::EmbeddedFile),
        (with("AF", vec![spec.into()]), Active::EmbeddedFile),
        (with("AcroForm", dictionary! { "XFA" => Object::string_literal("x") }), Active::DynamicForm),
        (with("Extra", dictionary! { "Subtype" => "Movie" }), Active::Media),
    ] {
        let refused = Enclosure::of(&bytes, &ANY).err();
        assert_eq!(refused, Some(BadFile::Active(wanted)), "{}", String::from_utf8_lossy(&bytes));
    }
    // Spelt otherwise, and said by an object that stands alone.
    let script = with_object(b"90 0 obj <</S/J#61vaScript/JS(x)>> endobj");
    assert_eq!(refusal(&script), BadFile::Active(Active::Script));
    assert_eq!(refusal(&with_object(b"90 0 obj /Launch endobj")), BadFile::Active(Active::Action));
    let link = with_object(b"90 0 obj <</S/URI/URI(https://example.org)>> endobj");
    assert!(Enclosure::of(&link, &ANY).is_ok());
}

#[test]
fn a_script_in_an_object_stream_is_found() {
    let mut document = scanned(1);
    document.catalog_mut().unwrap().set("OpenAction", dictionary! { "S" => "JavaScript" });
    let bytes = saved_packed(document);
    assert!(!bytes.windows(10).any(|bytes| bytes == b"JavaScript"), "it is packed");
    assert_eq!(refusal(&bytes), BadFile::Active(Active::Script));
}

#[test]
fn an_encrypted_paper_is_refused_and_a_damaged_one() {
    let mut document = scanned(1);
    let encrypt = document.add_object(dictionary! { "Filter" => "Standard" });
    document.trailer.set("Encrypt", encrypt);
    assert_eq!(refusal(&saved(document)), BadFile::Encrypted);
    let text = paper(1);
    for bytes in
        [&text[..text.len() / 2], b"%PDF-1.7", b"%PDF-1.7\n1 0 obj\n<<", b"%PDF-1.7\ntrailer<</Root 1 0 R>>"]
    {
        assert_eq!(refusal(bytes), BadFile::Damaged);
    }
}

#[test]
fn a_tree_that_goes_in_circles_ends() {
    let mut document = scanned(2);
    let (_, page) = document.get_pages().into_iter().next().unwrap();
    let tree = document.get_dictionary(page).unwrap().get(b"Parent").unwrap().clone();
    document.get_dictionary_mut(page).unwrap().set("Kids", vec![tree]);
    assert_eq!(refusal(&saved(document)), BadFile::Damaged);
}

#[test]
fn a_bomb_in_an_object_stream_is_refused_while_it_is_inflated() {
    let blanks = crate::render::file::deflate(&vec![b' '; 40 << 20], 9).unwrap();
    assert!(blanks.len() < 100 * KB);
    let head = b"90 0 obj <</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>\nstream\n";
    let bomb = [head, blanks.as_slice(), b"\nendstream endobj"].concat();
    assert_eq!(refusal(&with_object(&bomb)), BadFile::TooIntricate);
}

#[test]
fn a_signed_paper_is_kept_to_the_byte() {
    let signature = dictionary! {
        "Type" => "Sig", "ByteRange" => vec![0.into(), 1.into(), 2.into(), 3.into()],
        "Contents" => Object::string_literal("x"),
    };
    let bytes = with("Perms", dictionary! { "DocMDP" => signature });
    let kept = Enclosure::of(&bytes, &ANY).unwrap();
    assert_eq!((kept.treatment(), kept.extent()), (Treatment::SignedAsSent, Extent::Pages(1)));
    assert_eq!(kept.into_bytes(), bytes);
}
