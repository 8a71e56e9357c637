//! What can be wrong with a data set: a name for programs, a title for people, and the remedy.

use serde::Serialize;

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Training refuses these data, or its figures would mean nothing.
    Error,
    /// Training works; the result may not be what was meant.
    Warning,
    /// Good to know.
    Note,
}

/// Declares the faults, each with its severity, its title and its remedy.
macro_rules! faults {
    ($($variant:ident = $severity:ident, $name:literal, $title:literal, $remedy:literal;)+) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Fault {
            $(#[doc = concat!("`", $name, "`: ", $title, ".")] #[serde(rename = $name)] $variant,)+
        }

        impl Fault {
            /// All kinds.
            pub const ALL: &'static [Fault] = &[$(Fault::$variant),+];

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// Its name for programs.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it is, in the plural.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// What to do.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),+ }
            }
        }
    };
}

faults! {
    Layout = Error, "layout", "faults of the layout", "arrange the files as the message says";
    BadEntry = Error, "bad-entry", "entries that cannot be used", "mend the line or field that is named";
    OutsidePath = Error, "outside-path", "paths that lead out of the data's folder",
        "move the files in, or pass --allow-outside if you trust the list";
    UnreadablePicture = Error, "unreadable-picture", "pictures that cannot be read",
        "replace or remove them, or pass --skip-unreadable";
    UnreadableMask = Error, "unreadable-mask", "masks that cannot be read",
        "replace or remove them, or pass --skip-unreadable";
    MaskSize = Error, "mask-size", "masks of another shape than their picture",
        "export the mask at the picture's size";
    EmptyClass = Error, "empty-class", "class folders without images", "add images, or remove the folder";
    OneClass = Error, "one-class", "data sets with a single class", "add a second class to tell apart";
    SmallClass = Error, "small-class", "classes with too few pictures", "add pictures, or remove the class";
    ClassNotInTrain = Error, "class-not-in-train", "classes that train lacks",
        "add training pictures, or rename the class";
    ContradictingLabels = Error, "contradicting-labels", "pictures that lie in two classes",
        "keep the copy whose label is right";
    DuplicateAcrossSplits = Error, "duplicate-across-splits", "pictures that lie in two parts",
        "remove the copy outside of train: a test on training pictures says nothing";
    DuplicatePicture = Warning, "duplicate-picture", "pictures that are copies of another",
        "remove the copies; a split drawn by shares may put them on both sides";
    ClassNotInPart = Warning, "class-not-in-part", "classes that val or test lack",
        "add pictures, or leave the class out";
    CaseCollision = Warning, "case-collision", "names that differ in case or spaces alone",
        "rename one of them; other systems take them for the same";
    ConstantPicture = Warning, "constant-picture", "pictures of a single colour", "look at them: the export may be broken";
    MislabelledFile = Warning, "wrong-extension", "files whose content is not what their extension says",
        "rename them to what they are";
    OrphanMask = Warning, "orphan-mask", "masks that belong to no picture", "give them their picture's name";
    SeveralMasks = Warning, "several-masks", "pictures with several masks, of which one is used",
        "keep the right one";
    EmptyMask = Warning, "empty-mask", "masks that mark nothing as relevant",
        "remove them if the picture has no explanation; a mask's pixels count above --mask-threshold";
    FullMask = Warning, "full-mask", "masks that mark the whole picture as relevant",
        "remove them, or turn them with --mask-polarity black";
    GreyMask = Warning, "grey-mask", "masks with values between 0 and 255",
        "values above --mask-threshold count as relevant; export masks in black and white, or pass --mask-threshold soft";
    SameMask = Warning, "same-mask", "explained pictures whose mask is that of all others",
        "check that the masks were not copied from a template";
    ClassWithoutMasks = Warning, "class-without-masks", "classes without any explanation while others have some",
        "explain a few pictures of each class";
    MaskPredictsLabel = Warning, "mask-predicts-label", "classes that mask size alone tells apart",
        "compare with `--masks other`: explanations may help by their size instead of their place";
    SizePredictsLabel = Warning, "size-predicts-label", "classes that the size of the file's picture tells apart",
        "bring all pictures to one size by the same route before training";
    TypePredictsLabel = Warning, "type-predicts-label", "classes that the file type tells apart",
        "convert all pictures to one file type by the same route";
    ColourPredictsLabel = Warning, "colour-predicts-label", "classes that being grey or in colour tells apart",
        "pass --channels 1";
    Imbalance = Warning, "imbalance", "classes far smaller than the largest", "see `balance_classes` in `rationale init`";
    ShapeOutside = Warning, "shape-outside", "shapes that reach out of their picture",
        "check that they belong to this picture; what is outside is cut off";
    NoLabel = Warning, "no-label", "pictures without a label, left out", "annotate them, or remove them from the list";
    MisplacedFile = Warning, "misplaced-file", "images outside the class folders, or folders inside them, left out",
        "move them into a class folder";
    UnknownFolder = Warning, "unknown-folder", "folders that are neither train, val nor test, left out",
        "rename or remove them";
    ForeignFile = Warning, "foreign-file", "files that are no pictures, left out", "move them elsewhere";
    UnknownColumn = Warning, "unknown-column", "columns that are not known, left out",
        "known are image, label, split, group, mask, x, y, w, h";
    SizesDiffer = Note, "sizes-differ", "pictures of several sizes", "pass --size when training";
    NoExplanations = Note, "no-explanations", "no training picture has an explanation",
        "add masks for some pictures, or train with --method label-only";
}

impl Fault {
    /// One sentence about `count` cases.
    pub(crate) fn sentence(self, count: usize, first: &str) -> String {
        let (title, remedy) = (self.title(), self.remedy());
        format!("{title}: {count}, such as {first}; {remedy}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_a_name_of_its_own_and_a_remedy() {
        for &fault in Fault::ALL {
            assert_eq!(serde_json::to_value(fault).unwrap(), fault.name());
            assert!(!fault.title().is_empty() && !fault.remedy().ends_with('.'), "{}", fault.name());
            assert!(fault.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'));
            let same = Fault::ALL.iter().filter(|other| other.name() == fault.name()).count();
            assert_eq!(same, 1, "{}", fault.name());
        }
    }
}
