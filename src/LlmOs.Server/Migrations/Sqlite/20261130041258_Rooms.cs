using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace LlmOs.Server.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Rooms : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "arguments",
                table: "jobs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "code",
                table: "jobs",
                type: "TEXT",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "spec_sha256",
                table: "jobs",
                type: "TEXT",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "subject",
                table: "jobs",
                type: "TEXT",
                maxLength: 512,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "arguments",
                table: "job_logs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "code",
                table: "job_logs",
                type: "TEXT",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "arguments",
                table: "job_events",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "code",
                table: "job_events",
                type: "TEXT",
                maxLength: 64,
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "eta_seconds",
                table: "job_events",
                type: "REAL",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "usage_records",
                columns: table => new
                {
                    seq = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    id = table.Column<string>(type: "TEXT", maxLength: 40, nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    day = table.Column<string>(type: "TEXT", maxLength: 10, nullable: false),
                    operation = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    model = table.Column<string>(type: "TEXT", maxLength: 320, nullable: false),
                    prompt_tokens = table.Column<long>(type: "INTEGER", nullable: false),
                    cached_tokens = table.Column<long>(type: "INTEGER", nullable: false),
                    generated_tokens = table.Column<long>(type: "INTEGER", nullable: false),
                    queue_ms = table.Column<double>(type: "REAL", nullable: false),
                    prompt_ms = table.Column<double>(type: "REAL", nullable: false),
                    decode_ms = table.Column<double>(type: "REAL", nullable: false),
                    load_ms = table.Column<double>(type: "REAL", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", maxLength: 40, nullable: true),
                    user_id = table.Column<string>(type: "TEXT", maxLength: 40, nullable: true),
                    app = table.Column<string>(type: "TEXT", maxLength: 63, nullable: true),
                    job_id = table.Column<string>(type: "TEXT", maxLength: 40, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_usage_records", x => x.seq);
                });

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_created_at",
                table: "usage_records",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_id",
                table: "usage_records",
                column: "id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_key_id_seq",
                table: "usage_records",
                columns: new[] { "key_id", "seq" });

            migrationBuilder.CreateIndex(
                name: "ix_usage_records_user_id_seq",
                table: "usage_records",
                columns: new[] { "user_id", "seq" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "usage_records");

            migrationBuilder.DropColumn(
                name: "arguments",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "code",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "spec_sha256",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "subject",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "arguments",
                table: "job_logs");

            migrationBuilder.DropColumn(
                name: "code",
                table: "job_logs");

            migrationBuilder.DropColumn(
                name: "arguments",
                table: "job_events");

            migrationBuilder.DropColumn(
                name: "code",
                table: "job_events");

            migrationBuilder.DropColumn(
                name: "eta_seconds",
                table: "job_events");
        }
    }
}
