//! The structure tree (ISO 32000-1, 14.7; ISO 14289-1): what each piece of marked content is, in reading order.

use lopdf::{Dictionary, Document, Object, ObjectId, dictionary};

use super::archive::text_string;
use super::layout::{Layout, Part, Place};

/// Adds the tree to the document and returns its root. Marked content is numbered as [`super::page::marks`] has
/// it; the widget comes last, as a form of its own.
pub(crate) fn add(document: &mut Document, layout: &Layout, page: ObjectId, widget: ObjectId) -> ObjectId {
    let root = document.new_object_id();
    let body = document.new_object_id();
    let mut tree = Tree { document, page, numbered: Vec::new() };
    let mut kids = Vec::new();
    for part in &layout.parts {
        kids.push(match part {
            Part::Words { tag, .. } => tree.leaf(tag, body, Dictionary::new()),
            Part::Table(rows) => tree.table(rows.len(), body),
            Part::Picture { alt, place, .. } => {
                let more = dictionary! { "Alt" => text_string(alt), "A" => block(*place) };
                tree.leaf("Figure", body, more)
            }
        });
    }
    let reference = dictionary! { "Type" => "OBJR", "Obj" => widget, "Pg" => page };
    let form = tree.element("Form", body, dictionary! { "K" => reference });
    kids.push(form);
    let numbered: Vec<Object> = tree.numbered.iter().map(|id| Object::Reference(*id)).collect();
    let kids: Vec<Object> = kids.into_iter().map(Object::Reference).collect();
    document.set_object(
        body,
        dictionary! { "Type" => "StructElem", "S" => "Document", "P" => root, "K" => kids },
    );
    let parents = dictionary! { "Nums" => vec![0.into(), numbered.into(), 1.into(), form.into()] };
    document.set_object(
        root,
        dictionary! { "Type" => "StructTreeRoot", "K" => body, "ParentTree" => parents, "ParentTreeNextKey" => 2 },
    );
    root
}

struct Tree<'a> {
    document: &'a mut Document,
    page: ObjectId,
    /// The element of each piece of marked content.
    numbered: Vec<ObjectId>,
}

impl Tree<'_> {
    fn element(&mut self, tag: &str, parent: ObjectId, more: Dictionary) -> ObjectId {
        let mut element = dictionary! { "S" => tag, "P" => parent };
        element.extend(&more);
        self.document.add_object(element)
    }

    /// An element with the next piece of marked content.
    fn leaf(&mut self, tag: &str, parent: ObjectId, mut more: Dictionary) -> ObjectId {
        more.set("Pg", self.page);
        more.set("K", i64::try_from(self.numbered.len()).unwrap_or(0));
        let id = self.element(tag, parent, more);
        self.numbered.push(id);
        id
    }

    fn table(&mut self, rows: usize, parent: ObjectId) -> ObjectId {
        let table = self.document.new_object_id();
        let mut kids = Vec::new();
        for _ in 0..rows {
            let row = self.document.new_object_id();
            let scope = dictionary! { "O" => "Table", "Scope" => "Row" };
            let label = self.leaf("TH", row, dictionary! { "A" => scope });
            let value = self.leaf("TD", row, Dictionary::new());
            let cells = vec![label.into(), value.into()];
            self.document.set_object(row, dictionary! { "S" => "TR", "P" => table, "K" => cells });
            kids.push(row.into());
        }
        self.document.set_object(table, dictionary! { "S" => "Table", "P" => parent, "K" => kids });
        table
    }
}

/// Where a picture stands, for readers that reflow the page.
fn block(place: Place) -> Dictionary {
    let bounds = [place.x, place.y, place.x + place.width, place.y + place.height];
    let bounds: Vec<Object> =
        bounds.into_iter().map(|edge| Object::Real((edge * 100.0).round() / 100.0)).collect();
    dictionary! { "O" => "Layout", "Placement" => "Block", "BBox" => bounds }
}
