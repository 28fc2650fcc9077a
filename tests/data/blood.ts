/**
 * A small ontology of blood cells, with all that OBO may say of terms.
 *
 * @module
 */

/** The text of its file. */
export const BLOOD: string = `format-version: 1.2
data-version: test ! a comment

[Term]
id: CL:0
name: cell

! a line that is a comment
[Term]
id: CL:1
name: T cell {source="x"}
def: "A cell: with \\"quotes\\" ! and marks." [REF:1]
synonym: "T lymphocyte" EXACT []
is_a: CL:0 {is_inferred="true"} ! cell
relationship: part_of UBERON:1 ! blood

[Term]
id: CL:2
name: CD4\\:positive ! helper
alt_id: CL:20
alt_id: CL:21
is_a: CL:1
is_a: CL:1 ! twice

[Term]
id: CL:3
name: obsolete lymphoid thing
is_obsolete: true
replaced_by: CL:1

[Term]
id: CL:4
name: obsolete native cell
is_obsolete: true
consider: CL:0
consider: CL:1

[Term]
id: CL:5
name: obsolete nothing
is_obsolete: true

[Typedef]
id: part_of
name: part of
`;
