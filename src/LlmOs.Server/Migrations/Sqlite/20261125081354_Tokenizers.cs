using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace LlmOs.Server.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Tokenizers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "tokenizers",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    name = table.Column<string>(type: "TEXT", maxLength: 160, nullable: false),
                    kind = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    vocabulary = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tokenizers", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "tokenizer_files",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    tokenizer_id = table.Column<long>(type: "INTEGER", nullable: false),
                    path = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    sha256 = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    bytes = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tokenizer_files", x => x.id);
                    table.ForeignKey(
                        name: "fk_tokenizer_files_tokenizers_tokenizer_id",
                        column: x => x.tokenizer_id,
                        principalTable: "tokenizers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_tokenizer_files_sha256",
                table: "tokenizer_files",
                column: "sha256");

            migrationBuilder.CreateIndex(
                name: "ix_tokenizer_files_tokenizer_id_path",
                table: "tokenizer_files",
                columns: new[] { "tokenizer_id", "path" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_tokenizers_name",
                table: "tokenizers",
                column: "name",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "tokenizer_files");

            migrationBuilder.DropTable(
                name: "tokenizers");
        }
    }
}
