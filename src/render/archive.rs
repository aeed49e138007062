//! Makes the drawn page an archival (ISO 19005-3, level U), accessible (ISO 14289-1), signable file.

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat, dictionary};

use super::fingerprint::fingerprint;
use super::layout::Layout;
use super::page::SIGNATURE;
use super::signature::Signature;
use super::xmp::{self, Facts};
use super::{Sheet, Unprintable, UnsealedPdf, attachment, dates, file, icc, stamp, structure};

const CREATOR: &str = "Vermilion";
const PRODUCER: &str = concat!("Vermilion ", env!("CARGO_PKG_VERSION"));

/// Finishes and writes the file.
pub(crate) fn finish(
    mut document: Document,
    layout: &Layout,
    sheet: &Sheet,
) -> Result<UnsealedPdf, Unprintable> {
    let page = document.page_iter().next().ok_or(Unprintable::Fault("the page was lost"))?;
    let record = attachment::write(sheet)?;
    let id = fingerprint(&record);
    let signature = document.add_object(signature(sheet));
    let widget = widget(&mut document, layout, sheet, page, signature)?;
    let tree = structure::add(&mut document, layout, page, widget);
    amend_page(&mut document, page, widget)?;
    if let Some(signature) = &sheet.signature {
        mask_signature(&mut document, page, signature)?;
    }
    amend_fonts(&mut document);
    let attached = attach(&mut document, record, sheet);
    let metadata = metadata(&mut document, sheet, id);
    let intent = intent(&mut document);
    let pages = document.catalog().and_then(|catalog| catalog.get(b"Pages")).cloned();
    let root = document.add_object(dictionary! {
        "Type" => "Catalog",
        "Pages" => pages.map_err(|_| Unprintable::Fault("the page tree was lost"))?,
        "Lang" => Object::string_literal("zh-CN"),
        "MarkInfo" => dictionary! { "Marked" => true },
        "StructTreeRoot" => tree,
        "ViewerPreferences" => dictionary! { "DisplayDocTitle" => true },
        "Metadata" => metadata,
        "OutputIntents" => vec![intent.into()],
        "AF" => vec![attached.into()],
        "Names" => dictionary! {
            "EmbeddedFiles" => dictionary! {
                "Names" => vec![Object::string_literal("certificate.json"), attached.into()],
            },
        },
        "AcroForm" => dictionary! { "Fields" => vec![widget.into()], "SigFlags" => 3 },
        "Perms" => dictionary! { "DocMDP" => signature },
    });
    let info = document.add_object(dictionary! {
        "Title" => text_string(&sheet.title),
        "Creator" => Object::string_literal(CREATOR),
        "Producer" => Object::string_literal(PRODUCER),
        "CreationDate" => Object::string_literal(dates::pdf(sheet.made_at)),
        "ModDate" => Object::string_literal(dates::pdf(sheet.made_at)),
    });
    file::write(&document, &file::Roots { root, info, signature, id })
}

/// A text string (ISO 32000-1, 7.9.2.2): ASCII as it is, all else as UTF-16.
pub(crate) fn text_string(text: &str) -> Object {
    let bytes = if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        text.as_bytes().to_vec()
    } else {
        let mark = std::iter::once(0xfeff);
        mark.chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect()
    };
    Object::String(bytes, StringFormat::Literal)
}

/// The signature dictionary but for its two places to fill, which [`file::write`] adds. No digest in the
/// reference: ISO 19005-3, 6.1.12 forbids it.
fn signature(sheet: &Sheet) -> Dictionary {
    dictionary! {
        "Type" => "Sig",
        "Filter" => "Adobe.PPKLite",
        "SubFilter" => "ETSI.CAdES.detached",
        "Name" => text_string(&sheet.issuer),
        "Reason" => text_string(&attachment::reason(sheet)),
        "M" => Object::string_literal(dates::pdf(sheet.made_at)),
        // No change is allowed after the seal (ISO 32000-1, 12.8.2.2).
        "Reference" => vec![dictionary! {
            "Type" => "SigRef",
            "TransformMethod" => "DocMDP",
            "TransformParams" => dictionary! { "Type" => "TransformParams", "P" => 1, "V" => "1.2" },
        }.into()],
    }
}

/// The signature field and its widget in one, with the red seal as its appearance.
fn widget(
    document: &mut Document,
    layout: &Layout,
    sheet: &Sheet,
    page: ObjectId,
    signature: ObjectId,
) -> Result<ObjectId, Unprintable> {
    let content = stamp::draw(&sheet.stamp)?;
    let real = |number: f32| Object::Real((number * 100.0).round() / 100.0);
    let place = layout.seal;
    let appearance = Stream::new(
        dictionary! {
            "Type" => "XObject",
            "Subtype" => "Form",
            "BBox" => vec![0.into(), 0.into(), real(place.width), real(place.height)],
            "Filter" => "FlateDecode",
            // What stands under a seal stays readable.
            "Resources" => dictionary! { "ExtGState" => dictionary! { "Multiply" => dictionary! { "BM" => "Multiply" } } },
        },
        content.to_vec(),
    );
    let appearance = document.add_object(appearance);
    let edges = [place.x, place.y, place.x + place.width, place.y + place.height];
    Ok(document.add_object(dictionary! {
        "Type" => "Annot",
        "Subtype" => "Widget",
        "FT" => "Sig",
        "T" => Object::string_literal("Seal"),
        "TU" => text_string(&format!("电子印章：{}，{}", sheet.stamp.arc, sheet.stamp.purpose)),
        "Rect" => edges.map(real).to_vec(),
        // Print and Locked (ISO 32000-1, 12.5.3).
        "F" => 132,
        "P" => page,
        "V" => signature,
        "AP" => dictionary! { "N" => appearance },
        "StructParent" => 1,
    }))
}

fn amend_page(document: &mut Document, page: ObjectId, widget: ObjectId) -> Result<(), Unprintable> {
    let lost = |_| Unprintable::Fault("the page was lost");
    let resources = document
        .get_dictionary(page)
        .and_then(|page| page.get(b"Resources")?.as_reference())
        .map_err(lost)?;
    let resources = document.get_object_mut(resources).and_then(Object::as_dict_mut).map_err(lost)?;
    // Nothing on the page itself uses them.
    resources.remove(b"ExtGState");
    resources.remove(b"Shading");
    let page = document.get_object_mut(page).and_then(Object::as_dict_mut).map_err(lost)?;
    page.remove(b"TrimBox");
    page.remove(b"CropBox");
    page.set("Annots", vec![widget.into()]);
    page.set("Tabs", "S");
    page.set("StructParents", 0);
    // The seal is blended: in which colour space must be said.
    page.set("Group", dictionary! { "S" => "Transparency", "CS" => "DeviceRGB" });
    Ok(())
}

/// Gives the signature its soft mask (ISO 32000-1, 11.6.5.3): a page shows through between the strokes.
fn mask_signature(document: &mut Document, page: ObjectId, signature: &Signature) -> Result<(), Unprintable> {
    let mask = document.add_object(Stream::new(
        dictionary! {
            "Type" => "XObject",
            "Subtype" => "Image",
            "Width" => i64::from(signature.width()),
            "Height" => i64::from(signature.height()),
            "ColorSpace" => "DeviceGray",
            "BitsPerComponent" => 4,
            "Filter" => "FlateDecode",
        },
        file::deflate(&signature.mask(), file::THOROUGH)?,
    ));
    let lost = |_| Unprintable::Fault("the signature was lost");
    let picture = document.get_dictionary(page).and_then(|page| {
        let resources = page.get_deref(b"Resources", document)?.as_dict()?;
        let pictures = resources.get_deref(b"XObject", document)?.as_dict()?;
        pictures.get(SIGNATURE.as_bytes())?.as_reference()
    });
    let picture = picture.and_then(|id| document.get_object_mut(id)?.as_stream_mut()).map_err(lost)?;
    picture.dict.set("SMask", mask);
    Ok(())
}

/// Glyph codes are our own: the faces are symbolic (ISO 32000-1, 9.8.2).
fn amend_fonts(document: &mut Document) {
    for object in document.objects.values_mut() {
        if let Ok(descriptor) = object.as_dict_mut()
            && descriptor.has_type(b"FontDescriptor")
        {
            descriptor.set("Flags", 4);
        }
    }
}

/// The copy's data as an associated file (ISO 19005-3, 6.8).
fn attach(document: &mut Document, record: Vec<u8>, sheet: &Sheet) -> ObjectId {
    let date = Object::string_literal(dates::pdf(sheet.made_at));
    let size = i64::try_from(record.len()).unwrap_or(0);
    let stream = document.add_object(Stream::new(
        dictionary! {
            "Type" => "EmbeddedFile",
            "Subtype" => "application/json",
            "Params" => dictionary! { "Size" => size, "CreationDate" => date.clone(), "ModDate" => date },
        },
        record,
    ));
    document.add_object(dictionary! {
        "Type" => "Filespec",
        "F" => Object::string_literal("certificate.json"),
        "UF" => Object::string_literal("certificate.json"),
        "Desc" => text_string("证书数据"),
        "AFRelationship" => "Data",
        "EF" => dictionary! { "F" => stream, "UF" => stream },
    })
}

fn metadata(document: &mut Document, sheet: &Sheet, id: [u8; 16]) -> ObjectId {
    let made_at = dates::xmp(sheet.made_at);
    let packet = xmp::write(&Facts {
        title: &sheet.title,
        creator: CREATOR,
        producer: PRODUCER,
        made_at: &made_at,
        id,
    });
    let dict = dictionary! { "Type" => "Metadata", "Subtype" => "XML" };
    // Readable without a PDF library: tools look for it in the bytes.
    document.add_object(Stream::new(dict, packet.into_bytes()).with_compression(false))
}

fn intent(document: &mut Document) -> ObjectId {
    let profile = document.add_object(Stream::new(dictionary! { "N" => 3 }, icc::srgb()));
    document.add_object(dictionary! {
        "Type" => "OutputIntent",
        "S" => "GTS_PDFA1",
        "OutputConditionIdentifier" => Object::string_literal("sRGB"),
        "Info" => Object::string_literal("sRGB IEC61966-2.1"),
        "DestOutputProfile" => profile,
    })
}
