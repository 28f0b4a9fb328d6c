/** Where the objects of a cell are. */
export interface CellFolder {
  readonly key: string
  readonly folder: string
  /** What was measured: the same bytes for the same key. While it is absent, the cell is not finished. */
  readonly result: string
  readonly provenance: string
  readonly metrics: string
  readonly log: string
  readonly checkpoints: string
}

/** The folder of a store's cells. */
export const cellsOf = (store: string): string => `${store}/cells`

/** Where the objects of a key's cell are in a store. */
export const of = (store: string, key: string): CellFolder => {
  const folder = `${cellsOf(store)}/${key}`
  return {
    key,
    folder,
    result: `${folder}/result.json`,
    provenance: `${folder}/provenance.json`,
    metrics: `${folder}/metrics.ndjson`,
    log: `${folder}/log.txt`,
    checkpoints: `${folder}/checkpoints`
  }
}

/** What to do about a damaged cell. */
export const remedy = ({ folder }: CellFolder): string => `delete ${folder}, and the cell is run again`
