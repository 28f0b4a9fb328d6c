import * as Command from "effect/cli/Command"
import { withExitCodes } from "./Failure.ts"
import * as CollectGarbage from "./runs/CollectGarbage.ts"
import * as DiffCells from "./runs/DiffCells.ts"
import * as ExportCells from "./runs/ExportCells.ts"
import * as ListCells from "./runs/ListCells.ts"
import * as ShowCell from "./runs/ShowCell.ts"
import * as VerifyStore from "./runs/VerifyStore.ts"

/** `homodistil runs`: what is in a store of cells, whether it is whole, and what differs. */
export const command = Command.make("runs").pipe(
  Command.withDescription(
    withExitCodes(
      "Look into a store of cells. A cell is one distillation with its measures, kept under the digest of everything that shapes its " +
        "numbers; it is named by its key or by as much of the key's beginning as tells it apart."
    )
  ),
  Command.withShortDescription("List, show, compare, verify and export kept cells"),
  Command.withExamples([
    { command: "homodistil runs list", description: "The cells under runs" },
    { command: "homodistil runs diff 04d0 096d", description: "What differs between two of them" },
    { command: "homodistil runs verify", description: "Whether every object is whole" }
  ]),
  Command.withSubcommands([
    ListCells.command,
    ShowCell.command,
    DiffCells.command,
    VerifyStore.command,
    CollectGarbage.command,
    ExportCells.command
  ])
)
